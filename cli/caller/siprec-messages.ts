/** What a recording client of ours needs to know to write its requests (RFC 7866 §6.1). */
export interface CallerDialog {
  readonly callId: string
  readonly fromTag: string
  readonly caller: string
  readonly agent: string
  readonly serviceNumber: string
  /** Our own signalling address. */
  readonly local: { readonly address: string; readonly port: number }
  /** The recorder's, as `host:port`. */
  readonly target: string
  /** Local RTP ports of the caller's and the agent's streams. */
  readonly rtpPorts: readonly [number, number]
}

const BOUNDARY = 'tallenne-caller'

/** The INVITE of a recording session: two PCMU streams and complete metadata (RFC 7865). */
export function writeInvite(dialog: CallerDialog, branch: string): string {
  const body = [
    `--${BOUNDARY}`,
    'Content-Type: application/sdp',
    '',
    writeSdp(dialog),
    `--${BOUNDARY}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    writeMetadata(dialog),
    `--${BOUNDARY}--`,
    '',
  ].join('\r\n')
  return [
    `INVITE sip:recorder@${dialog.target} SIP/2.0`,
    ...commonHeaders(dialog, { branch, cseq: '1 INVITE', toTag: undefined }),
    `Contact: <sip:caller@${dialog.local.address}:${dialog.local.port}>;+sip.src`,
    'Require: siprec',
    `Content-Type: multipart/mixed;boundary=${BOUNDARY}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

/** ACK or BYE inside the dialog, towards the remote target that the answer's Contact named. */
export function writeInDialog(
  dialog: CallerDialog,
  request: {
    readonly method: 'ACK' | 'BYE'
    readonly remoteTarget: string
    readonly branch: string
    readonly cseq: number
    readonly toTag: string
  },
): string {
  return [
    `${request.method} ${request.remoteTarget} SIP/2.0`,
    ...commonHeaders(dialog, { ...request, cseq: `${request.cseq} ${request.method}` }),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}

function commonHeaders(
  dialog: CallerDialog,
  request: {
    readonly branch: string
    readonly cseq: string
    readonly toTag: string | undefined
  },
): string[] {
  const { local } = dialog
  const toTag = request.toTag === undefined ? '' : `;tag=${request.toTag}`
  return [
    `Via: SIP/2.0/UDP ${local.address}:${local.port};branch=z9hG4bK${request.branch};rport`,
    'Max-Forwards: 70',
    `From: <sip:src@${local.address}>;tag=${dialog.fromTag}`,
    `To: <sip:${dialog.serviceNumber}@${dialog.target}>${toTag}`,
    `Call-ID: ${dialog.callId}`,
    `CSeq: ${request.cseq}`,
  ]
}

function writeSdp({ local, rtpPorts }: CallerDialog): string {
  const media = rtpPorts.flatMap((port, index) => [
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    'a=sendonly',
    `a=label:${index + 1}`,
  ])
  return [
    'v=0',
    `o=caller 1 1 IN IP4 ${local.address}`,
    's=-',
    `c=IN IP4 ${local.address}`,
    't=0 0',
    ...media,
    '',
  ].join('\r\n')
}

function writeMetadata({ callId, caller, agent }: CallerDialog): string {
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
