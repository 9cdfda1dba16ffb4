import type { PauseCodes, RecordingControl, StreamPlan } from '../../recorder/recording-plan.ts'

/** What media planes ask of the one who orders a call's recordings about. */
export interface OrderedControl {
  /** A recording is about to be opened: gives what it is to find ordered, and awaits what it tells. */
  opening(recordingId: string): RecordingControl
  /** Keys by which a party may pause the recording now. */
  codesOf(role: StreamPlan['role']): PauseCodes | undefined
  /** Whether tones of keys are to be taken out of the audio now. */
  readonly removesTones: boolean
  /** A party pressed a key where no engine hears it; its client may tell of the same key both ways. */
  pressed(role: StreamPlan['role'], key: string, by?: 'event' | 'info'): void
}

/** The streams with what their line wants to be left out of them, and the keys that count of each. */
export function withMasking<Plan extends Pick<StreamPlan, 'role'>>(
  streams: readonly Plan[],
  control: OrderedControl | undefined,
): readonly Plan[] {
  return streams.map((stream) => {
    const pauseCodes = control?.codesOf(stream.role)
    return {
      ...stream,
      ...(pauseCodes && { pauseCodes }),
      ...(control?.removesTones && { removesTones: true }),
    }
  })
}
