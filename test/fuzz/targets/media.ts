import { readAmrFrames } from '../../../recorder/decoding/amr-frames.ts'
import { splitOpusPacket } from '../../../recorder/decoding/opus-frames.ts'
import { readRedundantBlocks } from '../../../recorder/decoding/redundant-payload.ts'
import { OggScan } from '../../../recorder/ogg-scan.ts'
import type { StreamCounters } from '../../../recorder/recording-plan.ts'
import { readRtcp } from '../../../recorder/rtcp-reader.ts'
import { PacketOpener } from '../../../recorder/srtp/packet-opener.ts'
import { PacketSealer } from '../../../recorder/srtp/packet-sealer.ts'
import { RecordingRig, streamPlan } from '../../recorder/recording-rig.ts'
import { rtp } from '../../recorder/rtp.ts'
import { keying } from '../../recorder/srtp/keying.ts'
import { type FuzzTarget, joined, pieces, Unsound } from '../target.ts'

/** In exactly one of these each datagram of a stream's RTP port is counted. */
const FATES = [
  ...(['placed', 'late', 'duplicate', 'events', 'comfortNoise', 'keepAlive', 'stun'] as const),
  ...(['zrtp', 'dtls', 'rtcp', 'wrongSource', 'wrongPayloadType', 'notRtp'] as const),
  ...(['whileInactive', 'unauthenticated', 'replayed', 'unrecordable', 'undecodable'] as const),
]
const SENDER_REPORT = Buffer.concat([
  Buffer.from('80c80006000012340102030405060708000000a00000000100000050', 'hex'),
  Buffer.from('81ca0003000012340103616263000000', 'hex'),
])

function packets(): readonly Uint8Array[] {
  return [0, 1, 2, 3, 5, 4, 6].map((at) =>
    rtp({ sequenceNumber: 65_533 + at, timestamp: at * 160 }),
  )
}

/** Whatever comes to a recording, each datagram has one fate, and the recording ends with a verdict. */
export const rtpPackets: FuzzTarget = {
  name: 'rtp',
  covers: ['recorder/'],
  seeds: () => [
    joined(packets()),
    joined([
      ...packets(),
      SENDER_REPORT,
      rtp({ payloadType: 101, payload: Buffer.from([1, 0, 0, 160]) }),
    ]),
    joined([
      rtp({ payloadType: 13, payload: Buffer.from([60]) }),
      rtp({ payloadType: 8, sequenceNumber: 9, timestamp: 2 ** 31, padding: 4, extension: [1, 2] }),
      rtp({ ssrc: 9, csrcs: [1, 2, 3], payload: new Uint8Array(0) }),
      Buffer.from('000100002112a442000000000000000000000000', 'hex'),
    ]),
  ],
  maxBytes: 16_384,
  start: () => {
    return {
      take: async (input) => {
        const ends: (() => unknown)[] = []
        const rig = new RecordingRig({ teardown: (end) => ends.push(end) }, [streamPlan('caller')])
        rig.answer()
        const datagrams = pieces(input)
        for (const datagram of datagrams) {
          rig.receive('caller', Buffer.from(datagram))
          rig.run(20)
        }
        rig.run(1_000)
        const outcome = await rig.finish()
        for (const end of ends) end()
        const [counters] = outcome.streams
        const fates = counters === undefined ? 0 : fatesOf(counters)
        if (fates !== datagrams.length) {
          throw new Unsound(`${datagrams.length} datagrams have ${fates} fates`)
        }
      },
    }
  },
}

function fatesOf(counters: StreamCounters): number {
  const counts: Readonly<Record<string, unknown>> = { ...counters }
  return FATES.reduce((sum, fate) => sum + Number(counts[fate] ?? 0), 0)
}

export const rtcpPackets: FuzzTarget = {
  name: 'rtcp',
  covers: ['recorder/rtcp'],
  seeds: () => [SENDER_REPORT, Buffer.from('81cb0001000012348', 'hex')],
  maxBytes: 1_500,
  start: () => ({
    take: (input) => {
      readRtcp(input)
    },
  }),
}

/** What nobody has sealed with our keys is never opened, and what was opened once never again. */
export const srtpPackets: FuzzTarget = {
  name: 'srtp',
  covers: ['recorder/srtp/'],
  seeds: () => {
    const keys = keying('AES_CM_128_HMAC_SHA1_80')
    const sealer = new PacketSealer(keys)
    return [joined(packets().map((packet) => Uint8Array.from(sealer.sealRtp(packet) ?? packet)))]
  },
  maxBytes: 8_192,
  start: () => {
    const suites = [
      'AES_CM_128_HMAC_SHA1_80',
      'AEAD_AES_256_GCM',
      'AES_CM_128_HMAC_SHA1_32',
    ] as const
    return {
      take: (input) => {
        for (const suite of suites) {
          const opener = new PacketOpener()
          opener.agree(keying(suite))
          const opened = new Set<string>()
          for (const [at, packet] of pieces(input).entries()) {
            const copy = Uint8Array.from(packet)
            if (typeof opener.openRtp(packet, at * 20) !== 'string') {
              const key = Buffer.from(copy).toString('latin1')
              if (opened.has(key)) throw new Unsound('a packet was opened twice')
              opened.add(key)
            }
            opener.openRtcp(copy)
          }
        }
      },
    }
  },
}

/** A file that was cut or damaged anywhere is read as far as it is whole, whatever pieces it is read in. */
export const oggFiles: FuzzTarget = {
  name: 'ogg',
  covers: ['recorder/ogg'],
  seeds: () => [],
  words: ['OggS', 'OpusHead', 'OpusTags', '\u0000\u0002', '\u0000\u0004'],
  maxBytes: 32_768,
  start: () => ({
    take: (input) => {
      const whole = scanned([input])
      const middle = input.length >> 1
      const halves = scanned([input.subarray(0, middle), input.subarray(middle)])
      if (whole !== halves) throw new Unsound(`${whole} and ${halves} in pieces`)
    },
  }),
}

function scanned(parts: readonly Uint8Array[]): string {
  let confirmed = 0
  const scan = new OggScan((bytes) => {
    confirmed += bytes.length
  })
  for (const part of parts) scan.push(part)
  return `${confirmed} bytes, ${scan.durationMs} ms, last page at ${scan.last?.offset}`
}

/** Payloads within packets: redundancy, AMR, Opus. */
export const payloads: FuzzTarget = {
  name: 'payloads',
  covers: ['recorder/decoding/'],
  seeds: () => [
    Buffer.from('80000a0500ffffffffff00ffff', 'hex'),
    Buffer.from('f03c112233445566778899aabbccddeeff', 'hex'),
    Buffer.from('ff8302', 'hex'),
  ],
  maxBytes: 2_000,
  start: () => ({
    take: (input) => {
      const blocks = readRedundantBlocks(input) ?? []
      if (blocks.some(({ offset, length }) => offset + length > input.length)) {
        throw new Unsound('a block beyond its packet')
      }
      for (const codec of ['AMR', 'AMR-WB'] as const) {
        for (const isOctetAligned of [true, false]) readAmrFrames(input, { codec, isOctetAligned })
      }
      splitOpusPacket(input)
    },
  }),
}
