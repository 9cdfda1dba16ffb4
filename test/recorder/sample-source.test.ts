import t from 'tap'
import { fitSamples } from '../../recorder/sample-source.ts'
import { tonePacket } from './tone-packet.ts'

const AMPLITUDE = 8000

t.test('a packet that is a sample longer or shorter sounds as it did', async (t) => {
  for (const density of [1, 2] as const) {
    for (const hertz of [300, 1000, 2000, 2800, 3200]) {
      for (const wanted of [160 * density - 1, 160 * density + 1]) {
        const fitted = fitSamples(tonePacket(hertz, 0, density), wanted)
        t.equal(fitted.length, wanted)
        const pace = (160 * density - 1) / (wanted - 1)
        const errors = [...fitted].map((sample, index) => {
          const radians = (2 * Math.PI * hertz * index * pace) / (8000 * density)
          return sample - AMPLITUDE * Math.sin(radians)
        })
        const worst = Math.max(...errors.slice(8, -8).map(Math.abs))
        t.ok(worst < 0.1 * AMPLITUDE, `${hertz} Hz at ${8 * density} kHz to ${wanted}: ${worst}`)
      }
    }
  }
})

t.test('the loudest sound stays within range, and is never taken for nothing', async (t) => {
  const samples = Int16Array.from({ length: 160 }, (_, index) => (index % 4 < 2 ? 32_767 : -32_767))
  const datagram = new Uint8Array(samples.buffer)
  const source = {
    datagram,
    offset: 0,
    length: 160,
    table: undefined,
    stride: 2,
    density: 1,
  } as const
  for (const sample of fitSamples(source, 161)) t.ok(sample >= -32_767)
})
