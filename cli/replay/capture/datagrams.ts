import type { CaptureNotes } from './capture-notes.ts'
import { type IpPacket, readIpPacket } from './ip-packet.ts'
import { IpReassembly } from './ip-reassembly.ts'
import { stripLink } from './link-layer.ts'
import { readFrames } from './read-frames.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

interface Carried {
  /** Of the packet that it came in, or that completed it. */
  readonly number: number
  readonly atMs: number
  readonly from: Endpoint
  readonly to: Endpoint
  readonly payload: Buffer
}

/** A datagram of UDP, or a segment of TCP. */
export type Captured =
  | ({ readonly kind: 'udp' } & Carried)
  | ({
      readonly kind: 'tcp'
      readonly sequence: number
      readonly isSyn: boolean
    } & Carried)

const TCP = 6
const UDP = 17
const ESP = 50

/** What a capture carries over UDP and TCP, in the file's order. Throws as `readFrames` does. */
export function* readDatagrams(path: string, notes: CaptureNotes): Generator<Captured> {
  const reassembly = new IpReassembly((packet) =>
    notes.add('began with a fragment whose others are not there', packet),
  )
  for (const frame of readFrames(path, notes)) {
    const { number, atMs } = frame
    const content = stripLink(frame)
    if (content.kind === 'unknownLink') {
      notes.add(`came over a link of type ${frame.linkType}, which is not known here`, number)
    }
    if (content.kind !== 'ip') continue
    const ip = readIpPacket(content.bytes)
    if (ip === undefined) {
      notes.add('has an IP header that makes no sense', number)
      continue
    }
    if (ip.isCut) {
      notes.add('was not captured whole: capture without a snap length (tcpdump -s 0)', number)
    }
    const whole = reassembly.add(ip, number, atMs)
    const captured = whole && readTransport(whole, { number, atMs, notes })
    if (captured !== undefined) yield captured
  }
  reassembly.finish()
}

function readTransport(
  ip: IpPacket,
  { number, atMs, notes }: { number: number; atMs: number; notes: CaptureNotes },
): Captured | undefined {
  const { protocol, payload } = ip
  if (protocol === ESP) notes.add('is encrypted by IPsec', number)
  const headerBytes = protocol === UDP ? 8 : 20
  if ((protocol !== UDP && protocol !== TCP) || payload.length < headerBytes) return undefined
  const common = {
    number,
    atMs,
    from: { address: ip.source, port: payload.readUInt16BE(0) },
    to: { address: ip.destination, port: payload.readUInt16BE(2) },
  }
  if (protocol === UDP) {
    const length = payload.readUInt16BE(4)
    const end = length < headerBytes ? payload.length : length
    return { kind: 'udp', ...common, payload: payload.subarray(headerBytes, end) }
  }
  const dataAt = (payload.readUInt8(12) >> 4) * 4
  if (dataAt < headerBytes || dataAt > payload.length) return undefined
  return {
    kind: 'tcp',
    ...common,
    sequence: payload.readUInt32BE(4),
    isSyn: (payload.readUInt8(13) & 0x02) !== 0,
    payload: payload.subarray(dataAt),
  }
}
