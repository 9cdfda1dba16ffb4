import { type CallerDialog, writeInvite } from '../cli/caller/sip-messages.ts'

/** Tells the platform which of the generator's calls it gets; extension headers pass through the gateway. */
export const CALL_NUMBER_HEADER = 'X-Bench-Call'

/** The INVITE of a plain call. */
export function writeTrunkInvite(
  dialog: CallerDialog,
  branch: string,
  call: { readonly number: number; readonly rtpPort: number },
): string {
  return writeInvite(dialog, branch, {
    requestUser: dialog.to,
    headers: [`${CALL_NUMBER_HEADER}: ${call.number}`, 'Content-Type: application/sdp'],
    body: writePlainSdp(dialog.local.address, call.rtpPort),
  })
}

/** One PCMU stream, both ways. */
export function writePlainSdp(address: string, rtpPort: number): string {
  return [
    'v=0',
    `o=bench 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${rtpPort} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    '',
  ].join('\r\n')
}
