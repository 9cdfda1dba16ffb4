import { JitterEstimator } from './jitter.ts'
import type { SenderReport } from './rtcp-reader.ts'
import type { ReportBlock } from './rtcp-writer.ts'
import { ReceivedSequence, Unwrapper } from './sequence.ts'

/** What is known of one SSRC while it is heard: its numbers extended, its losses, its jitter. */
export class SsrcReception {
  readonly ssrc: number
  readonly #sequences = new Unwrapper(16)
  readonly #timestamps = new Unwrapper(32)
  readonly #received = new ReceivedSequence()
  readonly #jitter = new JitterEstimator()
  #missing = 0
  #reportedExpected = 0
  #reportedReceived = 0
  #senderReport: SenderReport | undefined
  #senderReportAtMs = 0

  constructor(ssrc: number) {
    this.ssrc = ssrc
  }

  /**
   * Takes note of a packet; false for a duplicate. Then `missing` tells how many numbers before it have not come, or
   * is negative where a higher one came before.
   */
  receive(sequenceNumber: number): boolean {
    const isFirst = this.#received.expected === 0
    const highest = this.#received.highest
    const sequence = this.#sequences.unwrap(sequenceNumber)
    this.#missing = isFirst ? 0 : sequence - highest - 1
    return this.#received.add(sequence)
  }

  get missing(): number {
    return this.#missing
  }

  /** A timestamp without its wraps. */
  extend(timestamp: number): number {
    return this.#timestamps.unwrap(timestamp)
  }

  /** For audio packets in order; `arrivedAt` and the timestamp in samples. */
  observeArrival(arrivedAt: number, timestamp: number): void {
    this.#jitter.observe(arrivedAt, timestamp)
  }

  /** The packets' spacing was interrupted by a pause or an event. */
  interruptJitter(): void {
    this.#jitter.interrupt()
  }

  /** In samples. */
  get jitter(): number {
    return this.#jitter.samples
  }

  /** Packets that never came; duplicates do not make up for them. */
  get lost(): number {
    return this.#received.expected - this.#received.received
  }

  hear(report: SenderReport, atMs: number): void {
    this.#senderReport = report
    this.#senderReportAtMs = atMs
  }

  /** The block of the next receiver report (RFC 3550 appendix A.3). */
  report(nowMs: number): ReportBlock {
    const { expected, received, highest } = this.#received
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
      jitter: this.#jitter.samples,
      lastSenderReport: heard?.ntpMiddle ?? 0,
      delaySinceLast:
        heard === undefined ? 0 : Math.round((nowMs - this.#senderReportAtMs) * 65.536),
    }
  }
}
