/** A whole IP packet, or a fragment of one. */
export interface IpPacket {
  /** Addresses as sockets write them. */
  readonly source: string
  readonly destination: string
  /** Of the payload: 6 is TCP, 17 UDP. */
  readonly protocol: number
  readonly payload: Buffer
  /** Whether fewer bytes were captured than the packet says that it has. */
  readonly isCut: boolean
  /** Undefined where the packet is whole. */
  readonly fragment: Fragment | undefined
}

export interface Fragment {
  readonly id: number
  /** Where the payload belongs, bytes. */
  readonly offset: number
  readonly isLast: boolean
}

const HOP_BY_HOP = 0
const ROUTING = 43
const FRAGMENT = 44
const AUTHENTICATION = 51
const DESTINATION_OPTIONS = 60
const MOST_EXTENSIONS = 16

/** Reads an IPv4 or IPv6 packet; undefined where it is neither, or its lengths do not fit. */
export function readIpPacket(bytes: Buffer): IpPacket | undefined {
  const version = (bytes[0] ?? 0) >> 4
  if (version === 4) return readIpv4(bytes)
  return version === 6 ? readIpv6(bytes) : undefined
}

/** RFC 791 §3.1. */
function readIpv4(bytes: Buffer): IpPacket | undefined {
  if (bytes.length < 20) return undefined
  const headerBytes = (bytes.readUInt8(0) & 0x0f) * 4
  // A card that cuts large packets by itself is captured before it writes their length.
  const total = bytes.readUInt16BE(2) || bytes.length
  if (headerBytes < 20 || headerBytes > bytes.length || total < headerBytes) return undefined
  const flags = bytes.readUInt16BE(6)
  const offset = (flags & 0x1fff) * 8
  const hasMore = (flags & 0x2000) !== 0
  return {
    source: bytes.subarray(12, 16).join('.'),
    destination: bytes.subarray(16, 20).join('.'),
    protocol: bytes.readUInt8(9),
    // What stands behind the packet pads a short Ethernet frame.
    payload: bytes.subarray(headerBytes, total),
    isCut: total > bytes.length,
    fragment:
      offset > 0 || hasMore ? { id: bytes.readUInt16BE(4), offset, isLast: !hasMore } : undefined,
  }
}

/** RFC 8200 §3 and §4. */
function readIpv6(bytes: Buffer): IpPacket | undefined {
  if (bytes.length < 40) return undefined
  const total = bytes.readUInt16BE(4) === 0 ? bytes.length : 40 + bytes.readUInt16BE(4)
  let protocol = bytes.readUInt8(6)
  let at = 40
  let fragment: Fragment | undefined
  for (let count = 0; count < MOST_EXTENSIONS && isExtension(protocol); count++) {
    if (at + 8 > bytes.length) return undefined
    const extension = protocol
    protocol = bytes.readUInt8(at)
    if (extension === FRAGMENT) {
      const field = bytes.readUInt16BE(at + 2)
      const isLast = (field & 1) === 0
      const offset = field & 0xfff8
      // An atomic fragment is a whole packet (RFC 6946).
      if (offset > 0 || !isLast) fragment = { id: bytes.readUInt32BE(at + 4), offset, isLast }
      at += 8
      // What follows in a later fragment is no header.
      if (offset > 0) break
    } else {
      const length = bytes.readUInt8(at + 1)
      at += extension === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8
    }
  }
  if (at > bytes.length || at > total) return undefined
  return {
    source: formatIpv6(bytes.subarray(8, 24)),
    destination: formatIpv6(bytes.subarray(24, 40)),
    protocol,
    payload: bytes.subarray(at, total),
    isCut: total > bytes.length,
    fragment,
  }
}

function isExtension(protocol: number): boolean {
  return (
    protocol === HOP_BY_HOP ||
    protocol === ROUTING ||
    protocol === FRAGMENT ||
    protocol === AUTHENTICATION ||
    protocol === DESTINATION_OPTIONS
  )
}

function formatIpv6(address: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    address.readUInt16BE(index * 2).toString(16),
  )
  return canonicalAddress(groups.join(':'))
}

/** An address as sockets write it, so that the two compare as text; what is none stays as it is. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address
  try {
    // The URL parser writes IPv6 addresses in the form of RFC 5952, as the kernel does.
    return new URL(`http://[${address}]`).hostname.slice(1, -1)
  } catch {
    return address
  }
}
