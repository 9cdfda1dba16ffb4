import { createCipheriv } from 'node:crypto'
import { HmacSha1 } from './hmac-sha1.ts'
import type { SessionKeys } from './session-keys.ts'
import { mixIndex, mixWord, type PacketPlace, type Transform } from './transform.ts'

const BLOCK_BYTES = 16
const SALT_BYTES = 14
/** The E flag and the index, which RTCP carries behind its body (RFC 3711 §3.4). */
const RTCP_INDEX_BYTES = 4
const MOST_BLOCKS = 4096

/**
 * AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1 and §4.2.1, RFC 6188).
 *
 * The key stream is a run of counter blocks encrypted one by one, by a cipher that lives as long as the key: one for
 * each packet would cost three times as much (decision 012).
 */
export class CounterMode implements Transform {
  readonly tagBytes: number
  readonly #isRtp: boolean
  readonly #salt: Uint8Array
  readonly #mac: HmacSha1
  readonly #cipher
  #counters: Uint8Array = Buffer.alloc(0)

  constructor(options: {
    readonly keys: SessionKeys
    readonly kind: 'rtp' | 'rtcp'
    readonly tagBytes: number
  }) {
    const { key, authKey, salt } = options.keys
    this.tagBytes = options.tagBytes
    this.#isRtp = options.kind === 'rtp'
    this.#salt = salt
    this.#mac = new HmacSha1(authKey)
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false)
  }

  open(packet: Uint8Array, place: PacketPlace): boolean {
    this.#authenticate(packet, place)
    if (!this.#mac.begins(packet, place.tagAt, place.tagBytes)) return false
    this.#encrypt(packet, place)
    return true
  }

  seal(packet: Uint8Array, place: PacketPlace): void {
    this.#encrypt(packet, place)
    this.#authenticate(packet, place)
    for (let at = 0; at < place.tagBytes; at++) packet[place.tagAt + at] = this.#mac.code[at] ?? 0
  }

  /** RTP is authenticated with the rollover counter behind it, RTCP with its index, as they stand. */
  #authenticate(packet: Uint8Array, { bodyEnd, index }: PacketPlace): void {
    if (this.#isRtp) this.#mac.digest(packet, bodyEnd, Math.floor(index / 0x1_0000))
    else this.#mac.digest(packet, bodyEnd + RTCP_INDEX_BYTES)
  }

  #encrypt(packet: Uint8Array, place: PacketPlace): void {
    const { headBytes, bodyEnd, isEncrypted } = place
    const blocks = Math.ceil((bodyEnd - headBytes) / BLOCK_BYTES)
    if (blocks <= 0 || !isEncrypted) return
    const stream = this.#cipher.update(this.#countersFor(blocks, place))
    for (let at = headBytes, from = 0; at < bodyEnd; at++, from++) {
      packet[at] = (packet[at] ?? 0) ^ (stream[from] ?? 0)
    }
  }

  /** The initial value, and one more for each block: `(salt · 2^16) ⊕ (SSRC · 2^64) ⊕ (index · 2^16)`. */
  #countersFor(blocks: number, { ssrc, index }: PacketPlace): Uint8Array {
    const length = blocks * BLOCK_BYTES
    if (this.#counters.length < length) this.#counters = newCounters(blocks)
    const counters = this.#counters
    counters.set(this.#salt)
    mixWord(counters, 4, ssrc)
    mixIndex(counters, 8, index)
    for (let at = BLOCK_BYTES; at < length; at += BLOCK_BYTES) {
      for (let byte = 0; byte < SALT_BYTES; byte++) counters[at + byte] = counters[byte] ?? 0
    }
    return counters.subarray(0, length)
  }
}

/** Blocks with their numbers in the last two bytes, twice as many as are needed now. */
function newCounters(blocks: number): Buffer {
  const count = Math.min(blocks * 2, MOST_BLOCKS)
  const counters = Buffer.alloc(count * BLOCK_BYTES)
  for (let block = 0; block < count; block++) {
    counters.writeUInt16BE(block, block * BLOCK_BYTES + SALT_BYTES)
  }
  return counters
}
