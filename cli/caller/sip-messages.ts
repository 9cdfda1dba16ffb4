/** A dialog that a caller of ours begins, as its requests name it. */
export interface CallerDialog {
  readonly callId: string
  readonly fromTag: string
  /** User part of From. */
  readonly from: string
  /** User part of To. */
  readonly to: string
  /** Our own signalling address. */
  readonly local: { readonly address: string; readonly port: number }
  /** The peer's, as `host:port`. */
  readonly target: string
}

/** What an INVITE says beyond its dialog. */
export interface InviteContent {
  /** User part of the Request-URI. */
  readonly requestUser: string
  /** Parameters of the Contact, each with its semicolon. */
  readonly contactParameters?: string
  /** Whole header lines, Content-Type among them. */
  readonly headers: readonly string[]
  readonly body: string
}

export function writeInvite(dialog: CallerDialog, branch: string, content: InviteContent): string {
  const { local } = dialog
  return [
    `INVITE sip:${content.requestUser}@${dialog.target} SIP/2.0`,
    ...commonHeaders(dialog, { branch, cseq: '1 INVITE', toTag: undefined }),
    `Contact: <sip:caller@${local.address}:${local.port}>${content.contactParameters ?? ''}`,
    ...content.headers,
    `Content-Length: ${Buffer.byteLength(content.body)}`,
    '',
    content.body,
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
    `From: <sip:${dialog.from}@${local.address}>;tag=${dialog.fromTag}`,
    `To: <sip:${dialog.to}@${dialog.target}>${toTag}`,
    `Call-ID: ${dialog.callId}`,
    `CSeq: ${request.cseq}`,
  ]
}
