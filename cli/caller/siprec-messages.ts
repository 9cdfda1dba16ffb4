import { type CallerDialog, writeInvite } from './sip-messages.ts'

/** What a recording client of ours says of the call that it sends (RFC 7866 §6.1). */
export interface RecordedCall {
  readonly caller: string
  readonly agent: string
  /** Local RTP ports of the caller's and the agent's streams. */
  readonly rtpPorts: readonly [number, number]
}

const BOUNDARY = 'tallenne-caller'

/** The INVITE of a recording session: two PCMU streams and complete metadata (RFC 7865). */
export function writeRecordingInvite(
  dialog: CallerDialog,
  branch: string,
  call: RecordedCall,
): string {
  const body = [
    `--${BOUNDARY}`,
    'Content-Type: application/sdp',
    '',
    writeRecordingSdp(dialog.local.address, call.rtpPorts),
    `--${BOUNDARY}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    writeMetadata(dialog.callId, call),
    `--${BOUNDARY}--`,
    '',
  ].join('\r\n')
  return writeInvite(dialog, branch, {
    requestUser: 'recorder',
    contactParameters: ';+sip.src',
    headers: ['Require: siprec', `Content-Type: multipart/mixed;boundary=${BOUNDARY}`],
    body,
  })
}

/** Two PCMU streams, labelled 1 for the caller and 2 for the agent. */
export function writeRecordingSdp(address: string, rtpPorts: RecordedCall['rtpPorts']): string {
  const media = rtpPorts.flatMap((port, index) => [
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    'a=sendonly',
    `a=label:${index + 1}`,
  ])
  return [
    'v=0',
    `o=caller 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    ...media,
    '',
  ].join('\r\n')
}

function writeMetadata(callId: string, { caller, agent }: RecordedCall): string {
  const party = (id: string, user: string, sends: string, receives: string) =>
    `<participant participant_id="${id}"><nameID aor="sip:${user}@platform.example"/></participant>` +
    `<participantstreamassoc participant_id="${id}"><send>${sends}</send><recv>${receives}</recv></participantstreamassoc>`
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>' +
    `<session session_id="s1"><sipSessionID>${callId}</sipSessionID></session>` +
    party('p1', caller, 't1', 't2') +
    party('p2', agent, 't2', 't1') +
    '<stream stream_id="t1" session_id="s1"><label>1</label></stream>' +
    '<stream stream_id="t2" session_id="s1"><label>2</label></stream>' +
    '</recording>'
  )
}
