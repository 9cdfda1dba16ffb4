import { createKeyContext } from './key-context.ts'
import { ReceivedSources, type Refusal } from './received-sources.ts'
import type { SrtpKeying, SrtpMasterKey } from './srtp-plan.ts'
import { SRTP_SUITES } from './srtp-suite.ts'

interface Ring {
  readonly keying: SrtpKeying
  /** One for each master key. */
  readonly keys: readonly ReceivedSources[]
}

/** Packets of the old key are on their way when the first of the new one comes. */
const OVERLAP_MS = 2000

/**
 * Opens what a peer sends, by the keys that were agreed on, and for a while by those before them: which of them a
 * packet belongs to is told by its tag.
 */
export class PacketOpener {
  #current: Ring | undefined
  #previous: Ring | undefined
  /** Since when packets come under the current keys, after others. */
  #renewedAtMs: number | undefined
  /** Whose the packet was that was opened last. */
  #opened: ReceivedSources | undefined

  /** Whether there are keys at all. */
  get hasKeys(): boolean {
    return this.#current !== undefined
  }

  /** Whether the packet that was opened last is of a key that has protected more than it may. */
  get isBeyondLifetime(): boolean {
    return this.#opened?.use.isBeyond ?? false
  }

  /** Equal keys go on as they are, with what they know; others leave those of now valid until they are in use. */
  agree(keying: SrtpKeying | undefined): void {
    if (JSON.stringify(keying) === JSON.stringify(this.#current?.keying)) return
    const before = this.#current
    this.#current = keying && createRing(keying, [before, this.#previous])
    this.#previous = before
    this.#renewedAtMs = undefined
  }

  openRtp(packet: Uint8Array, nowMs: number): Uint8Array | Refusal {
    const first = this.#openWith(this.#current, (key) => key.openRtp(packet, nowMs))
    if (this.#previous === undefined) return first
    if (typeof first !== 'string') {
      this.#retire(nowMs)
      return first
    }
    const second = this.#openWith(this.#previous, (key) => key.openRtp(packet, nowMs))
    return typeof second === 'string' ? first : second
  }

  openRtcp(packet: Uint8Array): Uint8Array | Refusal {
    const first = this.#openWith(this.#current, (key) => key.openRtcp(packet))
    if (this.#previous === undefined || typeof first !== 'string') return first
    const second = this.#openWith(this.#previous, (key) => key.openRtcp(packet))
    return typeof second === 'string' ? first : second
  }

  /** The first key that fits opens it; else the refusal that says most: it came before, or is nobody's. */
  #openWith(
    ring: Ring | undefined,
    open: (key: ReceivedSources) => Uint8Array | Refusal,
  ): Uint8Array | Refusal {
    let refusal: Refusal = ring === undefined ? 'unauthenticated' : 'malformed'
    for (const key of ring?.keys ?? []) {
      const opened = open(key)
      if (typeof opened !== 'string') {
        this.#opened = key
        return opened
      }
      if (refusal === 'malformed' || opened === 'replayed') refusal = opened
    }
    return refusal
  }

  #retire(nowMs: number): void {
    this.#renewedAtMs ??= nowMs
    if (nowMs - this.#renewedAtMs >= OVERLAP_MS) this.#previous = undefined
  }
}

/** Keys that were known before, the newest ring first, go on with all that is known of them. */
function createRing(keying: SrtpKeying, before: readonly (Ring | undefined)[]): Ring {
  const known = before.flatMap((ring) => ring?.keys ?? [])
  const rollover = known.find((key) => key.rollover !== undefined)?.rollover
  const suite = SRTP_SUITES[keying.suite]
  const sourcesOf = (master: SrtpMasterKey): ReceivedSources => {
    const sources =
      known.find((key) => key.context.isOf(suite, master)) ??
      new ReceivedSources(createKeyContext(suite, master), rollover)
    sources.use.agree(master.lifetime)
    return sources
  }
  return { keying, keys: keying.keys.map(sourcesOf) }
}
