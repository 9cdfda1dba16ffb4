/** A call that goes on now, as the node's own API tells it. */
export interface LiveCall {
  readonly contactId: string
  readonly recordingId: string
  readonly callId: string
  readonly state: 'opening' | 'answering' | 'established' | 'ending' | 'ended'
  /** Every stream is on hold. */
  readonly isHeld: boolean
  /** Its recording is paused. */
  readonly isPaused: boolean
  /** Its recording has ended. */
  readonly isStopped: boolean
  readonly startedAtMs: number
  readonly answeredAtMs: number | null
  readonly caller: string | null
  readonly serviceNumber: string | null
  readonly serviceLine: string
  readonly agent: string | null
}
