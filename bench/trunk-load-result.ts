import type { DelayFigures } from './delay-meter.ts'
import type { LoadFigures } from './load-figures.ts'

/** The line that the generator of trunk calls prints when all are up: what follows is measured. */
export const MEASURING = 'measuring'

/** What the generator of trunk calls prints when it is done: one line of JSON. */
export interface TrunkLoadResult extends LoadFigures {
  /** The parties' sockets aimed at each other, before the calls. */
  readonly bare: DelayFigures
  /** The same sockets with the gateway between them. */
  readonly relayed: DelayFigures
}
