import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A packet to be put into a capture. */
export interface CapturedPacket {
  readonly atMs: number
  readonly bytes: Buffer
  /** Which of a pcapng file's interfaces. */
  readonly interfaceId?: number
}

export interface Address {
  readonly address: string
  readonly port: number
}

interface Numbers {
  readonly uint16: (value: number) => Buffer
  readonly uint32: (value: number) => Buffer
}

/** Fields in an order. */
export function numbers(isBigEndian: boolean): Numbers {
  return {
    uint16: (value) => {
      const bytes = Buffer.alloc(2)
      if (isBigEndian) bytes.writeUInt16BE(value)
      else bytes.writeUInt16LE(value)
      return bytes
    },
    uint32: (value) => {
      const bytes = Buffer.alloc(4)
      if (isBigEndian) bytes.writeUInt32BE(value >>> 0)
      else bytes.writeUInt32LE(value >>> 0)
      return bytes
    },
  }
}

export function pcap(
  packets: readonly CapturedPacket[],
  {
    linkType = 1,
    isBigEndian = false,
    isNano = false,
  }: { linkType?: number; isBigEndian?: boolean; isNano?: boolean } = {},
): Buffer {
  const { uint16, uint32 } = numbers(isBigEndian)
  const header = [
    uint32(isNano ? 0xa1b23c4d : 0xa1b2c3d4),
    ...[uint16(2), uint16(4), uint32(0), uint32(0), uint32(65_535), uint32(linkType)],
  ]
  const records = packets.flatMap(({ atMs, bytes }) => {
    const fraction = Math.round((atMs % 1000) * (isNano ? 1e6 : 1000))
    const length = uint32(bytes.length)
    return [uint32(Math.floor(atMs / 1000)), uint32(fraction), length, length, bytes]
  })
  return Buffer.concat([...header, ...records])
}

export function block(type: number, body: Buffer, isBigEndian = false): Buffer {
  const { uint32 } = numbers(isBigEndian)
  const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
  const total = uint32(padded.length + 12)
  return Buffer.concat([uint32(type), total, padded, total])
}

/** One section; each interface with its link type and, where not of microseconds, its resolution. */
export function pcapng(
  packets: readonly CapturedPacket[],
  {
    interfaces = [{ linkType: 1 }],
    isBigEndian = false,
  }: {
    interfaces?: readonly { linkType: number; resolution?: number }[]
    isBigEndian?: boolean
  } = {},
): Buffer {
  const { uint16, uint32 } = numbers(isBigEndian)
  const unknownLength = Buffer.alloc(8, 0xff)
  const section = Buffer.concat([uint32(0x1a2b3c4d), uint16(1), uint16(0), unknownLength])
  const blocks = [block(0x0a0d0d0a, section, isBigEndian)]
  for (const { linkType, resolution } of interfaces) {
    const option =
      resolution === undefined
        ? []
        : [uint16(9), uint16(1), Buffer.of(resolution, 0, 0, 0), uint32(0)]
    const body = Buffer.concat([uint16(linkType), uint16(0), uint32(0), ...option])
    blocks.push(block(1, body, isBigEndian))
  }
  for (const { atMs, bytes, interfaceId = 0 } of packets) {
    const resolution = interfaces[interfaceId]?.resolution ?? 6
    const perSecond = resolution > 127 ? 2 ** (resolution - 128) : 10 ** resolution
    const ticks = Math.round((atMs / 1000) * perSecond)
    const times = [uint32(Math.floor(ticks / 2 ** 32)), uint32(ticks % 2 ** 32)]
    const lengths = [uint32(bytes.length), uint32(bytes.length)]
    const body = Buffer.concat([uint32(interfaceId), ...times, ...lengths, bytes])
    blocks.push(block(6, body, isBigEndian))
  }
  return Buffer.concat(blocks)
}

/** An Ethernet frame around an IP packet, with VLAN tags. */
export function ethernet(ip: Buffer, tags: readonly number[] = []): Buffer {
  const type = (ip[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800
  const { uint16 } = numbers(true)
  const header = [Buffer.alloc(12, 2), ...tags.flatMap((tag) => [uint16(tag), uint16(5)])]
  return Buffer.concat([...header, uint16(type), ip])
}

export function udp(from: Address, to: Address, payload: Uint8Array): Buffer {
  const { uint16 } = numbers(true)
  const length = uint16(8 + payload.length)
  return ip(from.address, to.address, {
    protocol: 17,
    payload: Buffer.concat([uint16(from.port), uint16(to.port), length, uint16(0), payload]),
  })
}

export function tcp(
  from: Address,
  to: Address,
  {
    sequence,
    payload = Buffer.alloc(0),
    flags = 0x18,
  }: { sequence: number; payload?: Buffer; flags?: number },
): Buffer {
  const { uint16, uint32 } = numbers(true)
  const ports = [uint16(from.port), uint16(to.port)]
  const control = [uint32(sequence), uint32(0), Buffer.of(0x50, flags), Buffer.alloc(6)]
  return ip(from.address, to.address, {
    protocol: 6,
    payload: Buffer.concat([...ports, ...control, payload]),
  })
}

/** An IPv4 or IPv6 packet, by its addresses. */
export function ip(
  source: string,
  destination: string,
  {
    protocol,
    payload,
    fragment,
  }: {
    protocol: number
    payload: Buffer
    fragment?: { id: number; offset: number; isLast: boolean }
  },
): Buffer {
  const { uint16, uint32 } = numbers(true)
  if (source.includes(':')) {
    const head = Buffer.concat([
      uint32(0x6000_0000),
      uint16(payload.length),
      Buffer.of(protocol, 64),
    ])
    return Buffer.concat([head, ipv6Bytes(source), ipv6Bytes(destination), payload])
  }
  const flags = fragment ? (fragment.offset >> 3) | (fragment.isLast ? 0 : 0x2000) : 0
  return Buffer.concat([
    ...[uint16(0x4500), uint16(20 + payload.length), uint16(fragment?.id ?? 0), uint16(flags)],
    ...[Buffer.of(64, protocol), uint16(0), ipv4Bytes(source), ipv4Bytes(destination), payload],
  ])
}

/** Takes an IPv4 packet apart into fragments of so many bytes, a multiple of 8. */
export function fragments(packet: Buffer, bytes: number, id = 7): Buffer[] {
  const payload = packet.subarray(20)
  const source = packet.subarray(12, 16).join('.')
  const destination = packet.subarray(16, 20).join('.')
  const protocol = packet.readUInt8(9)
  return Array.from({ length: Math.ceil(payload.length / bytes) }, (_, index) => {
    const offset = index * bytes
    const isLast = offset + bytes >= payload.length
    const piece = payload.subarray(offset, offset + bytes)
    return ip(source, destination, { protocol, payload: piece, fragment: { id, offset, isLast } })
  })
}

/** Writes a capture into a folder of its own. */
export function captureFile(bytes: Buffer): string {
  const path = join(mkdtempSync(join(tmpdir(), 'tallenne-capture-')), 'capture.pcap')
  writeFileSync(path, bytes)
  return path
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

export function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...new Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}
