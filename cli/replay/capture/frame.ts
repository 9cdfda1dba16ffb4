/** One packet as it was captured. */
export interface Frame {
  /** Its place in the file as other programs count, the first being 1. */
  readonly number: number
  /** Epoch milliseconds with fractions. */
  readonly atMs: number
  /** What its first bytes are, as LINKTYPE_ numbers have it. */
  readonly linkType: number
  /** What of it was kept. */
  readonly bytes: Buffer
  /** How long it was on the wire. */
  readonly wireLength: number
}
