import { percentile } from './machine-noise.ts'

/** What a load generator tells of its calls. */
export interface LoadFigures {
  readonly answered: number
  readonly refused: number
  readonly packetsSent: number
  readonly callIds: readonly string[]
  /** INVITE to 200, milliseconds. */
  readonly setupMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

export function setupFigures(setupsMs: readonly number[]): LoadFigures['setupMs'] {
  return {
    p50: percentile(setupsMs, 0.5),
    p99: percentile(setupsMs, 0.99),
    max: percentile(setupsMs, 1),
  }
}
