import t from 'tap'
import { DelayMeter, DelayTally } from '../../bench/delay-meter.ts'
import { PacketIndex } from '../../bench/packet-index.ts'

const HEADER = 12

/** Three packets that sound different, then the second one again. */
function speech(): Uint8Array {
  const packets = [1, 2, 3, 2].map((seed) =>
    Uint8Array.from({ length: 160 }, (_, at) => (at * 7 * seed + seed) & 0xff),
  )
  return Uint8Array.from(packets.flatMap((packet) => [...packet]))
}

/** An RTP packet with the sound at that place and whatever header a relay gave it. */
function packetAt(audio: Uint8Array, place: number, header = 0x55): Uint8Array {
  const packet = new Uint8Array(HEADER + 160).fill(header, 0, HEADER)
  packet.set(audio.subarray(place * 160, place * 160 + 160), HEADER)
  return packet
}

t.test('packets are told by their sound, whatever their header says', async (t) => {
  const audio = speech()
  const index = new PacketIndex(audio)
  t.equal(index.placeOf(packetAt(audio, 0)), 0)
  t.equal(index.placeOf(packetAt(audio, 2, 0xaa)), 2)
})

t.test('packets that sound alike have no place', async (t) => {
  const audio = speech()
  const index = new PacketIndex(audio)
  t.equal(index.placeOf(packetAt(audio, 1)), undefined)
  t.same(
    [0, 1, 2, 3].map((place) => index.has(place)),
    [true, false, true, false],
  )
})

t.test('a relay that decodes and encodes again changes no place', async (t) => {
  const audio = speech()
  audio[20] = 0x7f
  const index = new PacketIndex(audio)
  const passed = packetAt(audio, 0)
  passed[HEADER + 20] = 0xff
  t.equal(index.placeOf(passed), 0)
})

t.test('a packet of another length is none of them', async (t) => {
  const index = new PacketIndex(speech())
  t.equal(index.placeOf(new Uint8Array(0)), undefined)
  t.equal(index.placeOf(new Uint8Array(171)), undefined)
})

t.test('delays, losses and what is heard twice', async (t) => {
  const audio = speech()
  const tally = new DelayTally()
  const meter = new DelayMeter(new PacketIndex(audio), tally)
  meter.sent(0, 100)
  meter.sent(1, 120)
  meter.sent(2, 140)
  meter.received(packetAt(audio, 0), 103)
  meter.received(packetAt(audio, 0), 104)
  t.same(tally.figures, { sent: 2, lost: 1, delayMs: { p50: 3, p99: 3, max: 3 } })
})

t.test('what is sent after the count is none of it, and what is on its way then is', async (t) => {
  const audio = speech()
  const tally = new DelayTally()
  const meter = new DelayMeter(new PacketIndex(audio), tally)
  meter.sent(0, 100)
  tally.isOpen = false
  meter.sent(2, 120)
  meter.received(packetAt(audio, 0), 108)
  meter.received(packetAt(audio, 2), 121)
  t.same(tally.figures, { sent: 1, lost: 0, delayMs: { p50: 8, p99: 8, max: 8 } })
})
