import { g711Table } from './g711.ts'
import type { StreamPlan } from './recording-plan.ts'

/** What a payload type is for: a decoding table for audio, or one of the kinds without any. */
export type PayloadUse = Int16Array | 'event' | 'comfortNoise' | 'unrecordable'

/** What each agreed payload type of a stream is for. No other is accepted. */
export function payloadUses(plan: StreamPlan): ReadonlyMap<number, PayloadUse> {
  const uses = new Map<number, PayloadUse>()
  for (const payloadType of plan.relay?.otherPayloadTypes ?? []) {
    uses.set(payloadType, 'unrecordable')
  }
  for (const payloadType of plan.comfortNoisePayloadTypes) uses.set(payloadType, 'comfortNoise')
  for (const payloadType of plan.eventPayloadTypes) uses.set(payloadType, 'event')
  for (const { payloadType, codec } of plan.formats) uses.set(payloadType, g711Table(codec))
  return uses
}
