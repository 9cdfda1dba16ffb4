import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { SessionKeys } from './session-keys.ts'
import { mixIndex, mixWord, type PacketPlace, type Transform } from './transform.ts'

const TAG_BYTES = 16
/** The E flag and the index, which RTCP carries behind its tag (RFC 7714 §9.2). */
const RTCP_INDEX_BYTES = 4

/** AES-GCM (RFC 7714). The tag stands right behind the body. */
export class GcmMode implements Transform {
  readonly tagBytes = TAG_BYTES
  readonly #isRtp: boolean
  readonly #key: Uint8Array
  readonly #salt: Uint8Array
  readonly #algorithm: 'aes-128-gcm' | 'aes-256-gcm'
  readonly #iv = Buffer.alloc(12)

  constructor(options: { readonly keys: SessionKeys; readonly kind: 'rtp' | 'rtcp' }) {
    const { key, salt } = options.keys
    this.#isRtp = options.kind === 'rtp'
    this.#key = key
    this.#salt = salt
    this.#algorithm = key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm'
  }

  open(packet: Uint8Array, place: PacketPlace): boolean {
    const { headBytes, bodyEnd, tagAt, isEncrypted } = place
    const decipher = createDecipheriv(this.#algorithm, this.#key, this.#ivFor(place), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAuthTag(packet.subarray(tagAt, tagAt + TAG_BYTES))
    decipher.setAAD(this.#associated(packet, place))
    const clear = isEncrypted ? decipher.update(packet.subarray(headBytes, bodyEnd)) : undefined
    try {
      decipher.final()
    } catch {
      return false
    }
    if (clear !== undefined) packet.set(clear, headBytes)
    return true
  }

  seal(packet: Uint8Array, place: PacketPlace): void {
    const { headBytes, bodyEnd, tagAt, isEncrypted } = place
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#ivFor(place), {
      authTagLength: TAG_BYTES,
    })
    cipher.setAAD(this.#associated(packet, place))
    if (isEncrypted) packet.set(cipher.update(packet.subarray(headBytes, bodyEnd)), headBytes)
    cipher.final()
    packet.set(cipher.getAuthTag(), tagAt)
  }

  /** Two zero bytes, the SSRC and the index, mixed with the salt (§8.1, §9.1). */
  #ivFor({ ssrc, index }: PacketPlace): Uint8Array {
    this.#iv.set(this.#salt)
    mixWord(this.#iv, 2, ssrc)
    mixIndex(this.#iv, 6, index)
    return this.#iv
  }

  /** What is authenticated in the clear: the head, of RTCP also its index, and the body where it is not encrypted. */
  #associated(packet: Uint8Array, place: PacketPlace): Uint8Array {
    const clearEnd = place.isEncrypted ? place.headBytes : place.bodyEnd
    const clear = packet.subarray(0, clearEnd)
    if (this.#isRtp) return clear
    const indexAt = place.tagAt + TAG_BYTES
    return Buffer.concat([clear, packet.subarray(indexAt, indexAt + RTCP_INDEX_BYTES)])
  }
}
