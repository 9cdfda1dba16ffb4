import { JitterEstimator } from './jitter.ts'
import type { SenderReport } from './rtcp-reader.ts'
import type { ReportBlock } from './rtcp-writer.ts'
import { SAMPLE_RATE } from './sample-clock.ts'
import { ReceivedSequence, Unwrapper } from './sequence.ts'

/** Further behind the newest than this no packet is that was only overtaken (RFC 3550 appendix A.1). */
const MOST_MISORDER = 100

/**
 * `strayed`: too far behind to be a straggler. `restarted`: the next after one that strayed, so that the sender counts
 * anew, and all that is known of the SSRC is of its past.
 */
export type SequenceOutcome = 'new' | 'duplicate' | 'strayed' | 'restarted'

/** What is known of one SSRC while it is heard: its numbers extended, its losses, its jitter. */
export class SsrcReception {
  readonly ssrc: number
  readonly #sequences = new Unwrapper(16)
  readonly #timestamps = new Unwrapper(32)
  readonly #received = new ReceivedSequence()
  readonly #jitter = new JitterEstimator()
  #clockRate = SAMPLE_RATE
  #missing = 0
  #isStraggler = false
  /** Packets that came and were passed over since the newest; infinite where whatever came matters to nobody. */
  #passedOver = 0
  #passedOverBefore = 0
  #afterStray: number | undefined
  #reportedExpected = 0
  #reportedReceived = 0
  #senderReport: SenderReport | undefined
  #senderReportAtMs = 0

  constructor(ssrc: number) {
    this.ssrc = ssrc
  }

  /** Takes note of a packet. */
  receive(sequenceNumber: number): SequenceOutcome {
    const isFirst = this.#received.expected === 0
    const highest = this.#received.highest
    const sequence = this.#sequences.unwrap(sequenceNumber)
    const missing = isFirst ? 0 : sequence - highest - 1
    if (missing < -MOST_MISORDER) {
      const isNext = sequenceNumber === this.#afterStray
      this.#afterStray = (sequenceNumber + 1) & 0xffff
      return isNext ? 'restarted' : 'strayed'
    }
    this.#afterStray = undefined
    this.#isStraggler = missing < 0
    if (missing >= 0) {
      const accounted = Math.min(missing, this.#passedOver)
      this.#passedOver = 0
      this.#passedOverBefore += accounted
      this.#missing += missing - accounted
    }
    return this.#received.add(sequence) ? 'new' : 'duplicate'
  }

  /** Whether a number has come, as far as that is remembered. */
  hasReceived(sequenceNumber: number): boolean {
    return this.#received.has(this.#sequences.unwrap(sequenceNumber))
  }

  /**
   * For the packet that was received last: how many numbers before it have not come, and were not told of; negative
   * where a higher one came before.
   */
  get missing(): number {
    return this.#isStraggler ? -1 : this.#missing
  }

  /** So many of those that are missing came once more within the packet that was received last. */
  repair(count: number): void {
    this.#missing = Math.max(0, this.#missing - count)
  }

  /** What is missing so far was told of. */
  settleMissing(): void {
    this.#missing = 0
  }

  /**
   * A packet came that is not for recording: its number is not missing. Its number may also be that of the next packet,
   * since keep-alives are sent either way (RFC 6263 §4).
   */
  passOver(): void {
    this.#passedOver++
  }

  /** Whatever is missing up to the next packet is no loss. */
  excuseMissing(): void {
    this.#missing = 0
    this.#passedOver = Number.POSITIVE_INFINITY
  }

  /** A timestamp without its wraps. */
  extend(timestamp: number): number {
    return this.#timestamps.unwrap(timestamp)
  }

  /** For audio packets in order; `arrivedAt` and the timestamp in samples at 8 kHz, the RTP clock in hertz. */
  observeArrival(arrivedAt: number, timestamp: number, clockRate = SAMPLE_RATE): void {
    this.#clockRate = clockRate
    this.#jitter.observe(arrivedAt, timestamp)
  }

  /** The packets' spacing was interrupted by a pause or an event. */
  interruptJitter(): void {
    this.#jitter.interrupt()
  }

  /** In samples at 8 kHz. */
  get jitter(): number {
    return this.#jitter.samples
  }

  /** Packets that never came; duplicates do not make up for them. */
  get lost(): number {
    return this.#received.expected - this.#received.received - this.#passedOverBefore
  }

  hear(report: SenderReport, atMs: number): void {
    this.#senderReport = report
    this.#senderReportAtMs = atMs
  }

  /** The block of the next receiver report (RFC 3550 appendix A.3). */
  report(nowMs: number): ReportBlock {
    const { expected, highest } = this.#received
    const received = this.#received.received + this.#passedOverBefore
    const expectedNow = expected - this.#reportedExpected
    const lostNow = expectedNow - (received - this.#reportedReceived)
    this.#reportedExpected = expected
    this.#reportedReceived = received
    const heard = this.#senderReport
    return {
      ssrc: this.ssrc,
      fractionLost:
        expectedNow <= 0 || lostNow <= 0
          ? 0
          : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      cumulativeLost: expected - received,
      highestSequence: highest,
      // In units of the sender's own clock.
      jitter: (this.#jitter.samples * this.#clockRate) / SAMPLE_RATE,
      lastSenderReport: heard?.ntpMiddle ?? 0,
      delaySinceLast:
        heard === undefined ? 0 : Math.round((nowMs - this.#senderReportAtMs) * 65.536),
    }
  }
}
