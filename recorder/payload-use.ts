import { isFilteredCodec } from './decoding/filter-kinds.ts'
import { g711Table } from './g711.ts'
import type { DecodedFormat, PayloadFormat, StreamPlan } from './recording-plan.ts'

/** What a payload type is for: audio by a table or by a decoder, or one of the kinds without any. */
export type PayloadUse =
  | Int16Array
  | DecodedFormat
  | 'event'
  | 'comfortNoise'
  | 'redundant'
  | 'unrecordable'

/** What each agreed payload type of a stream is for. No other is accepted. */
export function payloadUses(plan: StreamPlan): ReadonlyMap<number, PayloadUse> {
  const uses = new Map<number, PayloadUse>()
  for (const payloadType of plan.relay?.otherPayloadTypes ?? []) {
    uses.set(payloadType, 'unrecordable')
  }
  for (const payloadType of plan.comfortNoisePayloadTypes) uses.set(payloadType, 'comfortNoise')
  for (const payloadType of plan.redundantPayloadTypes ?? []) uses.set(payloadType, 'redundant')
  for (const payloadType of plan.eventPayloadTypes) uses.set(payloadType, 'event')
  for (const format of plan.formats) uses.set(format.payloadType, useOf(format))
  return uses
}

function useOf(format: PayloadFormat): PayloadUse {
  const { codec } = format
  if (codec === 'PCMU' || codec === 'PCMA') return g711Table(codec)
  return isFilteredCodec(codec) ? { ...format, codec } : { ...format, codec }
}
