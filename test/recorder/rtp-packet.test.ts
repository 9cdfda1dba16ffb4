import fc from 'fast-check'
import t from 'tap'
import { classifyDatagram } from '../../recorder/datagram-kind.ts'
import { RtpPacket } from '../../recorder/rtp-packet.ts'
import { rtp } from './rtp.ts'

t.test('every field of a packet with all its parts is read', async (t) => {
  const datagram = rtp({
    payloadType: 8,
    marker: true,
    sequenceNumber: 65_534,
    timestamp: 0xfedcba98,
    ssrc: 0x89abcdef,
    csrcs: [1, 2, 3],
    extension: [7, 8],
    padding: 4,
    payload: Buffer.from('payload'),
  })
  const packet = new RtpPacket()
  t.equal(packet.read(datagram), true)
  t.match(packet, {
    payloadType: 8,
    hasMarker: true,
    sequenceNumber: 65_534,
    timestamp: 0xfedcba98,
    ssrc: 0x89abcdef,
    payloadLength: 7,
  })
  const { payloadOffset, payloadLength } = packet
  t.equal(
    datagram.subarray(payloadOffset, payloadOffset + payloadLength).toString('latin1'),
    'payload',
  )
})

t.test('SSRC 0 and an empty payload are legal', async (t) => {
  const packet = new RtpPacket()
  t.equal(packet.read(rtp({ ssrc: 0, payload: Buffer.alloc(0) })), true)
  t.match(packet, { ssrc: 0, payloadLength: 0 })
})

t.test('a packet cut anywhere in its headers is refused', async (t) => {
  const datagram = rtp({ csrcs: [1], extension: [2], payload: Buffer.from([9, 9]) })
  const packet = new RtpPacket()
  for (let cut = 0; cut < 24; cut++) t.equal(packet.read(datagram.subarray(0, cut)), false)
  for (let cut = 24; cut <= 26; cut++) t.equal(packet.read(datagram.subarray(0, cut)), true)
})

t.test('padding must fit, and be at least one byte', async (t) => {
  const packet = new RtpPacket()
  const datagram = rtp({ padding: 4, payload: Buffer.alloc(8) })
  for (const [padding, isRead] of [
    [0, false],
    [1, true],
    [12, true],
    [13, false],
    [255, false],
  ] as const) {
    datagram[datagram.length - 1] = padding
    t.equal(packet.read(datagram), isRead, `${padding}`)
  }
})

t.test('another version is no RTP', async (t) => {
  const datagram = rtp()
  for (const version of [0, 1, 3]) {
    datagram[0] = version << 6
    t.equal(new RtpPacket().read(datagram), false)
  }
})

t.test('whatever comes, the payload lies within the datagram', async () => {
  const packet = new RtpPacket()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, isVersion2) => {
      if (isVersion2 && bytes.length > 0) bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x3f)
      if (!packet.read(bytes)) return true
      const { payloadOffset, payloadLength } = packet
      return (
        payloadOffset >= 12 && payloadLength >= 0 && payloadOffset + payloadLength <= bytes.length
      )
    }),
    { numRuns: 2000 },
  )
})

t.test('what else comes to a media port is told apart by its first bytes', async (t) => {
  const kinds = [
    [[], 'keepAlive'],
    [[0, 1], 'keepAlive'],
    // A version of 0, and as long as RTP is (RFC 6263 §4.2).
    [[0, 0, 0, 7, ...Array(8).fill(1)], 'keepAlive'],
    [[15], 'keepAlive'],
    [[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Array(12).fill(7)], 'stun'],
    [[1, 1, 0, 4, ...Array(20).fill(7)], 'stun'],
    [[0, 1, 0, 4, ...Array(16).fill(7)], 'keepAlive'],
    [[16], 'zrtp'],
    [[19, 0], 'zrtp'],
    [[20], 'dtls'],
    [[22, 254, 253], 'dtls'],
    [[63], 'dtls'],
    [[64], 'unknown'],
    [[127], 'unknown'],
    [[0x80, 0], 'rtp'],
    [[0x80, 0x80 | 8], 'rtp'],
    [[0x80, 191], 'rtp'],
    [[0x80, 192], 'rtcp'],
    [[0x81, 200], 'rtcp'],
    [[0x80, 223], 'rtcp'],
    [[0x80, 224], 'rtp'],
    [[192], 'unknown'],
  ] as const
  for (const [bytes, kind] of kinds) {
    t.equal(classifyDatagram(Uint8Array.from(bytes)), kind, `${bytes}`)
  }
})
