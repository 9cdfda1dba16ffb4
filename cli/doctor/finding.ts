/** One thing that was looked at. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  /** In a word or two. */
  readonly subject: string
  /** What was found, and what to do where it is not well. */
  readonly text: string
}
