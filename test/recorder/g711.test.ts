import t from 'tap'
import { g711Table } from '../../recorder/g711.ts'
import { alaw, ulaw } from './tones.ts'

t.test('G.711 decodes to the values of the recommendation', async (t) => {
  const pcmu = g711Table('PCMU')
  t.same(
    [0x00, 0x7f, 0x80, 0xff, 0xf0, 0x0f].map((code) => pcmu[code]),
    [-32_124, 0, 32_124, 0, 120, -16_764],
  )
  const pcma = g711Table('PCMA')
  t.same(
    [0x55, 0xd5, 0x2a, 0xaa, 0x54].map((code) => pcma[code]),
    [-8, 8, -32_256, 32_256, -24],
  )
})

t.test('every code survives encoding and decoding', async (t) => {
  for (const [codec, encode] of [
    ['PCMU', ulaw],
    ['PCMA', alaw],
  ] as const) {
    const table = g711Table(codec)
    for (const value of table) {
      const code = encode(value)
      if (table[code] !== value) t.fail(`${codec}: ${value} becomes ${table[code]}`)
    }
  }
})
