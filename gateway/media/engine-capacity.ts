import type { EngineReport } from '../../recorder/engine-protocol.ts'

/**
 * What a recording costs an engine of which nothing is known, as a part of its thread's time: both parties talking, at
 * the least complexity. Of what is measured it counts for so many recordings, which is little where there are many.
 */
const USUAL_COST = 0.003
const USUAL_RECORDINGS = 20
/** How much of the estimate a report changes: one second may be chance. */
const CHANGE = 0.5

/**
 * How many recordings an engine bears. Its reports say what those cost that it had; so those that were opened since
 * the newest one are reckoned with before they have shown what they cost, of which a burst brings hundreds.
 */
export class EngineCapacity {
  /** Of a recording, as a part of the thread's time. */
  #cost = USUAL_COST
  #recordings = 0

  /** Takes the newest report's figures: recordings at its time, and load over the second before at the least effort. */
  learn({ recordings, leastLoad }: Pick<EngineReport, 'recordings' | 'leastLoad'>): void {
    const served = (recordings + this.#recordings) / 2
    this.#recordings = recordings
    const cost = (USUAL_COST * USUAL_RECORDINGS + leastLoad) / (USUAL_RECORDINGS + served)
    this.#cost += CHANGE * (cost - this.#cost)
  }

  /** The load that so many recordings come to, 0 to 1 where the engine bears them. */
  loadOf(recordings: number): number {
    return this.#cost * recordings
  }
}
