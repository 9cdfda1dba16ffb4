import type { Frame } from './frame.ts'

/** What is in a frame: an IP packet, something else, or a link that is not known here. */
export type LinkContent =
  | { readonly kind: 'ip'; readonly bytes: Buffer }
  | { readonly kind: 'other' }
  | { readonly kind: 'unknownLink' }

const OTHER: LinkContent = { kind: 'other' }

const ETHERTYPE_IPV4 = 0x0800
const ETHERTYPE_IPV6 = 0x86dd
/** Tags of 4 bytes that stand before the type: VLAN (802.1Q), provider bridging (802.1ad) and its forerunners. */
const TAGS = new Set([0x8100, 0x88a8, 0x9100, 0x9200])
const MOST_TAGS = 4

/**
 * Takes the link's header off a frame. Links by LINKTYPE_ number:
 *
 * | number | link | before the IP packet |
 * |---|---|---|
 * | 1 | Ethernet | 2 addresses of 6 bytes, tags, type (2) |
 * | 113 | Linux cooked v1 | packet type, device type, address length (2 each), address (8), protocol (2) |
 * | 276 | Linux cooked v2 | protocol (2), reserved (2), interface (4), device type (2), packet type, address length (1 each), address (8) |
 * | 0, 108 | BSD loopback | address family (4), in the machine's or the network's order |
 * | 101, 228, 229 and 12, 14 | raw IP | nothing |
 */
export function stripLink({ linkType, bytes }: Frame): LinkContent {
  switch (linkType) {
    case 1:
      return behindType(bytes, 12)
    case 113:
      return behindType(bytes, 14)
    case 276:
      return bytes.length < 20 ? OTHER : ofType(bytes.readUInt16BE(0), bytes, 20)
    case 0:
    case 108:
      return rawIp(bytes.subarray(4))
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return rawIp(bytes)
    default:
      return { kind: 'unknownLink' }
  }
}

/** An Ethernet type at an offset, with any tags before it. */
function behindType(bytes: Buffer, at: number): LinkContent {
  let typeAt = at
  for (let tags = 0; tags <= MOST_TAGS && typeAt + 2 <= bytes.length; tags++) {
    const type = bytes.readUInt16BE(typeAt)
    if (!TAGS.has(type)) return ofType(type, bytes, typeAt + 2)
    typeAt += 4
  }
  return OTHER
}

function ofType(type: number, bytes: Buffer, at: number): LinkContent {
  // A cooked frame's tag stands where its packet would: its control field (2), then the type.
  if (TAGS.has(type)) return behindType(bytes, at + 2)
  if (type !== ETHERTYPE_IPV4 && type !== ETHERTYPE_IPV6) return OTHER
  return { kind: 'ip', bytes: bytes.subarray(at) }
}

/** Which IP it is says its first half byte; families are numbered differently on each system. */
function rawIp(bytes: Buffer): LinkContent {
  const version = (bytes[0] ?? 0) >> 4
  return version === 4 || version === 6 ? { kind: 'ip', bytes } : OTHER
}
