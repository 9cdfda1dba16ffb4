import { type Address, formatAddress } from '../../base/address.ts'
import type { SipRequest } from '../../gateway/sip-server/sip-message.ts'
import type { SipTransport } from './sip-carrier.ts'

/** A dialog as its requests name it. */
export interface ReplayDialog {
  readonly callId: string
  readonly local: Address
  /** Where the gateway listens. */
  readonly gateway: Address
  readonly transport: SipTransport
  /** From the gateway's Contact, once it answered. */
  readonly remoteTarget: string | undefined
  readonly toTag: string | undefined
}

/** Headers that belong to the path or the transaction that was captured. */
const LEFT_OUT = new Set([
  'via',
  'route',
  'record-route',
  'max-forwards',
  'call-id',
  'cseq',
  'contact',
  'content-length',
  'to',
  'authorization',
  'proxy-authorization',
  'rack',
])

/** A captured request as a request of a dialog with the gateway: the same headers but for those of its path. */
export function rewriteRequest(
  { method, uri, headers }: SipRequest,
  dialog: ReplayDialog,
  {
    cseq,
    branch,
    body,
    headers: added = [],
  }: {
    readonly cseq: number
    readonly branch: string
    readonly body: string
    readonly headers?: readonly string[]
  },
): string {
  const kept = headers.filter(({ key }) => !LEFT_OUT.has(key)).map(({ line }) => line)
  const to = headers.find(({ key }) => key === 'to')?.value ?? '<sip:recorder@replay.invalid>'
  const contact = headers.find(({ key }) => key === 'contact')?.value
  return [
    `${method} ${dialog.remoteTarget ?? retarget(uri, dialog.gateway)} SIP/2.0`,
    ...pathHeaders(dialog, branch),
    `To: ${withTag(to, dialog.toTag)}`,
    `Call-ID: ${dialog.callId}`,
    `CSeq: ${cseq} ${method}`,
    ...kept,
    ...added,
    `Contact: ${rewriteContact(contact, contactAddress(dialog))}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

/** A request of ours in the dialog: ACK, a refresh, BYE. `from` is the From that the dialog began with. */
export function writeRequest(
  method: string,
  dialog: ReplayDialog & { readonly from: string; readonly to: string },
  {
    cseq,
    branch,
    headers = [],
    body = '',
  }: {
    readonly cseq: number
    readonly branch: string
    readonly headers?: readonly string[]
    readonly body?: string
  },
): string {
  return [
    `${method} ${dialog.remoteTarget ?? `sip:${formatAddress(dialog.gateway)}`} SIP/2.0`,
    ...pathHeaders(dialog, branch),
    `From: ${dialog.from}`,
    `To: ${withTag(dialog.to, dialog.toTag)}`,
    `Call-ID: ${dialog.callId}`,
    `CSeq: ${cseq} ${method}`,
    ...headers,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

/** Where the gateway reaches us, as it stands in a URI behind the user. */
export function contactAddress({
  local,
  transport,
}: Pick<ReplayDialog, 'local' | 'transport'>): string {
  return `${formatAddress(local)}${transport === 'tcp' ? ';transport=tcp' : ''}`
}

function pathHeaders({ local, transport }: ReplayDialog, branch: string): string[] {
  const via = `SIP/2.0/${transport.toUpperCase()} ${formatAddress(local)}`
  return [`Via: ${via};branch=${branch};rport`, 'Max-Forwards: 70']
}

/** The same user at the gateway's address. */
function retarget(uri: string, gateway: Address): string {
  const user = /^(?:sips?:)([^@;?>]*)@/i.exec(uri)?.[1]
  return `sip:${user === undefined ? '' : `${user}@`}${formatAddress(gateway)}`
}

function withTag(to: string, tag: string | undefined): string {
  const bare = to
    .replace(/(>[^>]*?);\s*tag=[^;\s]*/i, '$1')
    .replace(/^([^<>]*?);\s*tag=[^;\s]*/i, '$1')
  return tag === undefined ? bare : `${bare};tag=${tag}`
}

/** The same Contact, and its parameters, at this machine's address. */
function rewriteContact(contact: string | undefined, here: string): string {
  if (contact === undefined) return `<sip:replay@${here}>`
  // Without brackets the parameters of the URI would be the header's.
  const [uri = '', ...parameters] = contact.split(';')
  const named = contact.includes('<') ? contact : [`<${uri.trim()}>`, ...parameters].join(';')
  return named
    .replace(/;transport=\w+/i, '')
    .replace(
      /(sips?:)([^@<>;,]*@)?(\[[^\]]*\]|[^;>?,\s:]+)(:\d+)?/i,
      (_all, _scheme, user = '') => `sip:${user}${here}`,
    )
}
