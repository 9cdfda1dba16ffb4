import type { PlacedCall, SiprecCaller } from '../../cli/caller/siprec-caller.ts'
import type { DrillCall } from './drill-load.ts'
import { toneCode } from './tone-code.ts'

/** A call whose parties send the tone codes of this index. Rejects as `SiprecCaller.place` does. */
export function placeDrillCall(caller: SiprecCaller, index: number): Promise<PlacedCall> {
  return caller.place({
    // The numbers before are service numbers.
    caller: `+1202555${String(110 + (index % 90)).padStart(4, '0')}`,
    agent: `${4000 + index}`,
    serviceNumber: '+12025550100',
    audio: [toneCode(2 * index), toneCode(2 * index + 1)],
  })
}

/** Hangs up, and tells what was sent. */
export async function endDrillCall(index: number, call: PlacedCall): Promise<DrillCall> {
  await call.hangUp().catch(() => {
    // A recorder that is gone answers no BYE.
  })
  const { callId, setupMs, startedAtMs, sent } = call
  return { callId, index, setupMs, startedAtMs, packets: Math.floor(sent / 2) }
}
