/**
 * Protects and opens packets of one kind, RTP or RTCP, under one session key.
 *
 * A packet in memory is a head in the clear, a body that may be encrypted, and what follows it.
 */
export interface Transform {
  /** Of the tag that a sender writes. */
  readonly tagBytes: number
  /** Opens the body in place; false where the tag does not fit, and then nothing has changed. */
  open(packet: Uint8Array, place: PacketPlace): boolean
  /** Encrypts the body in place and writes the tag. */
  seal(packet: Uint8Array, place: PacketPlace): void
}

/** Where a packet's parts are, and how it is numbered. Filled for each packet, so that none costs an object. */
export interface PacketPlace {
  ssrc: number
  /** Of RTP, 48 bits: the rollover counter and the sequence number. Of RTCP, 31 bits. */
  index: number
  headBytes: number
  bodyEnd: number
  tagAt: number
  /** Of the tag that came, which may be shorter than the transform's own. */
  tagBytes: number
  /** False where the packet is authenticated only. */
  isEncrypted: boolean
}

/** The packet index stands in six bytes of an IV, which are mixed with the salt there (RFC 3711 §4.1.1). */
export function mixIndex(iv: Uint8Array, at: number, index: number): void {
  const high = Math.floor(index / 0x1_0000_0000)
  mixByte(iv, at, high >>> 8)
  mixByte(iv, at + 1, high)
  mixWord(iv, at + 2, index)
}

/** Mixes the lowest 32 bits of a number into an IV. */
export function mixWord(iv: Uint8Array, at: number, word: number): void {
  mixByte(iv, at, word >>> 24)
  mixByte(iv, at + 1, word >>> 16)
  mixByte(iv, at + 2, word >>> 8)
  mixByte(iv, at + 3, word)
}

function mixByte(iv: Uint8Array, at: number, byte: number): void {
  iv[at] = (iv[at] ?? 0) ^ (byte & 0xff)
}
