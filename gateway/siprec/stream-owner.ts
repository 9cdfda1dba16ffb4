import type { StreamPlan } from '../../recorder/recording-plan.ts'
import type { Answer, AnswerLine } from './answer-plan.ts'
import type { DividedCall } from './call-division.ts'

/** The number of the call that a stream is of; undefined where nothing tells. */
export function ownerOf(
  { streamId }: StreamPlan,
  { lines }: Answer,
  calls: readonly DividedCall[],
): number | undefined {
  const [only] = calls
  if (calls.length === 1 && only !== undefined && (only.isWhole || !namesAny(only, lines))) {
    return only.id
  }
  const line = lines.find((candidate) => candidate.streamId === streamId)
  return line === undefined ? undefined : calls.findLast((call) => names(call, line))?.id
}

function names({ metadata }: DividedCall, { label }: AnswerLine): boolean {
  if (label === null || metadata === null) return false
  return metadata.streams.some((stream) => stream.label === label && stream.sessionId !== null)
}

function namesAny(call: DividedCall, lines: readonly AnswerLine[]): boolean {
  return lines.some((line) => names(call, line))
}
