import fc from 'fast-check'
import t from 'tap'
import { KeyPresses, readTelephoneEvent } from '../../recorder/telephone-event.ts'

function payload(event: number, duration: number, isEnd = false): Uint8Array {
  return Uint8Array.of(event, isEnd ? 0x8a : 0x0a, duration >> 8, duration & 0xff)
}

function press(
  keys: KeyPresses,
  { event, timestamp, packets = 8 }: { event: number; timestamp: number; packets?: number },
): string {
  let told = ''
  for (let index = 0; index < packets; index++) {
    told += keys.hear(timestamp, payload(event, (index + 1) * 160)) ?? ''
  }
  for (let index = 0; index < 3; index++) {
    told += keys.hear(timestamp, payload(event, packets * 160, true)) ?? ''
  }
  return told
}

t.test('a payload is read, and what is too short is none', async (t) => {
  t.same(readTelephoneEvent(Uint8Array.of(11, 0x8a, 1, 0x40)), {
    event: 11,
    isEnd: true,
    duration: 320,
  })
  t.equal(readTelephoneEvent(Uint8Array.of(11, 0x8a, 1)), undefined)
  t.equal(readTelephoneEvent(new Uint8Array(0)), undefined)
})

t.test('each press is told once, the same key twice in a row twice', async (t) => {
  const keys = new KeyPresses()
  t.equal(press(keys, { event: 1, timestamp: 4_294_967_000 }), '1')
  t.equal(press(keys, { event: 1, timestamp: 2000 }), '1')
  t.equal(press(keys, { event: 10, timestamp: 6000 }), '*')
  t.equal(press(keys, { event: 11, timestamp: 9000 }), '#')
})

t.test('a press is told by its end alone where all else is lost', async (t) => {
  const keys = new KeyPresses()
  t.equal(keys.hear(800, payload(7, 800, true)), '7')
  t.equal(keys.hear(800, payload(7, 800, true)), undefined)
})

t.test('packets of a press that come after the next one are no new press', async (t) => {
  const keys = new KeyPresses()
  t.equal(press(keys, { event: 3, timestamp: 0 }), '3')
  t.equal(press(keys, { event: 4, timestamp: 4000 }), '4')
  t.equal(keys.hear(0, payload(3, 1280, true)), undefined)
})

t.test('a long press goes on in another segment', async (t) => {
  const keys = new KeyPresses()
  t.equal(keys.hear(1000, payload(5, 400)), '5')
  t.equal(keys.hear(1000, payload(5, 0xffff)), undefined)
  t.equal(keys.hear(1000 + 0xffff, payload(5, 160)), undefined)
  t.equal(keys.hear(1000 + 0xffff, payload(5, 320, true)), undefined)
})

t.test('a press that begins where the last one ended is another', async (t) => {
  const keys = new KeyPresses()
  t.equal(press(keys, { event: 2, timestamp: 0 }), '2')
  t.equal(press(keys, { event: 2, timestamp: 1280 }), '2')
})

t.test('a flash is no key', async (t) => {
  t.equal(new KeyPresses().hear(0, payload(16, 160)), undefined)
})

t.test('whatever comes, nothing is thrown', async () => {
  const keys = new KeyPresses()
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.uint8Array({ maxLength: 8 }), (timestamp, bytes) => {
      const key = keys.hear(timestamp, bytes)
      return key === undefined || /^[0-9*#A-D]$/.test(key)
    }),
  )
})
