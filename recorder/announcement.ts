import { randomInt } from 'node:crypto'
import { g711Encoding } from './g711.ts'
import type { PlayedFormat } from './recording-plan.ts'
import type { RelayParty } from './relay-party.ts'
import { SLOT_MS, SLOT_SAMPLES } from './sample-clock.ts'

const HEADER_BYTES = 12
/** After a stall of the thread what is late is sent, but no flood. */
const MOST_AT_ONCE = 5

/**
 * A sound on its way to a party, a packet of 20 ms at a time, in a stream of its own (SSRC, sequence, timestamp).
 *
 * `sendDue` is called from the engine's timer, which wakes as often as a packet is due.
 */
export class Announcement {
  readonly #party: RelayParty
  readonly #samples: Int16Array
  readonly #format: PlayedFormat
  readonly #ssrc = randomInt(2 ** 32)
  /** In the lower half, so that a lost first packet leaves no doubt of the rollover counter (RFC 3711 §3.3.1). */
  readonly #firstSequence = randomInt(2 ** 15)
  readonly #firstTimestamp = randomInt(2 ** 32)
  readonly #startedAtMs: number
  #next = 0

  constructor(options: {
    readonly party: RelayParty
    readonly samples: Int16Array
    readonly format: PlayedFormat
    readonly startedAtMs: number
  }) {
    this.#party = options.party
    this.#samples = options.samples
    this.#format = options.format
    this.#startedAtMs = options.startedAtMs
  }

  /** Sends the packets whose time has come; false when none is left. */
  sendDue(nowMs: number): boolean {
    const due = Math.floor((nowMs - this.#startedAtMs) / SLOT_MS) + 1
    for (let sent = 0; this.#next < due && sent < MOST_AT_ONCE && !this.#isOver; sent++) {
      this.#party.send(this.#packet(this.#next++))
    }
    return !this.#isOver
  }

  get #isOver(): boolean {
    return this.#next * SLOT_SAMPLES >= this.#samples.length
  }

  /** RTP (RFC 3550 §5.1): the marker on the first packet, silence after the last sample. */
  #packet(index: number): Buffer {
    const packet = Buffer.alloc(HEADER_BYTES + SLOT_SAMPLES)
    packet[0] = 0x80
    packet[1] = this.#format.payloadType | (index === 0 ? 0x80 : 0)
    packet.writeUInt16BE((this.#firstSequence + index) & 0xffff, 2)
    packet.writeUInt32BE((this.#firstTimestamp + index * SLOT_SAMPLES) >>> 0, 4)
    packet.writeUInt32BE(this.#ssrc, 8)
    const encoding = g711Encoding(this.#format.codec)
    for (let at = 0; at < SLOT_SAMPLES; at++) {
      const sample = this.#samples[index * SLOT_SAMPLES + at] ?? 0
      packet[HEADER_BYTES + at] = encoding[sample & 0xffff] ?? 0
    }
    return packet
  }
}
