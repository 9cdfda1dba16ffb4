import { isIP } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { hasCode } from '../../base/has-code.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { readSipAddress, splitAddresses } from '../sip-address.ts'
import { type CallMaker, isRefusal, type PlatformDialog, type RequestSender } from './call-maker.ts'
import type { SipDialog, SipHeaders, SipResponse } from './sip-surface.ts'
import { sourceUri } from './source-uri.ts'

/** As much of a dialog as renewing it takes. */
export type LostDialog = Pick<
  SipDialog,
  'id' | 'type' | 'sip' | 'local' | 'remote' | 'req' | 'res' | 'srf'
>

/** What renewing needs of a SIP server: the one that held the dialog, or another. */
export type DialogRenewer = CallMaker & RequestSender

/** What became of a dialog whose SIP server was lost. */
export type Renewal =
  /** Another stands in its place. */
  | { readonly kind: 'renewed'; readonly dialog: PlatformDialog }
  /**
   * The server still has it, and it speaks through the connection that there is now. What the peer asks for is refused,
   * its BYE included, so that it has to be asked whether it is still there, and cannot refresh the session.
   */
  | { readonly kind: 'kept' }
  /** The peer knows it no longer. */
  | { readonly kind: 'gone' }
  /** Nobody could be asked, or the peer will not have it. */
  | { readonly kind: 'unanswered'; readonly reason: string }

/**
 * Takes a dialog up again, through the SIP server that held it or another. One that has never heard of it sends a
 * re-INVITE with the dialog's own Call-ID and tags (RFC 3261 §12.2.1.1): to the peer it is the same dialog, with our
 * Contact anew. Never rejects.
 */
export async function renewDialog(
  dialog: LostDialog,
  options: {
    readonly framework: DialogRenewer
    readonly clock: Clock
    /** What the peer has of us. */
    readonly localSdp: string
    readonly headers: SipHeaders
  },
): Promise<Renewal> {
  try {
    const answer = await askWithin(dialog, options.framework)
    if (answer !== undefined) {
      if (answer.status === 481) return { kind: 'gone' }
      dialog.req.socket = answer.socket
      return { kind: 'kept' }
    }
    // Before there is another, which may have the same id.
    dialog.srf.removeDialog(dialog)
    return { kind: 'renewed', dialog: await invite(dialog, options) }
  } catch (failure) {
    if (isRefusal(failure) && failure.status === 481) return { kind: 'gone' }
    return { kind: 'unanswered', reason: messageOf(failure) }
  }
}

/** The peer's answer to an OPTIONS within the dialog; undefined where the server does not know it. */
function askWithin(dialog: LostDialog, framework: RequestSender): Promise<SipResponse | undefined> {
  return new Promise((resolve, reject) => {
    const options = { method: 'OPTIONS', stackDialogId: dialog.id }
    framework.request('sip:placeholder', options, (failure, request) => {
      if (request === undefined || failure) {
        const isUnknown = hasCode(failure, 'ENODIALOG')
        return isUnknown ? resolve(undefined) : reject(failure)
      }
      request.on('response', (response) => {
        if (response.status >= 200) resolve(response)
      })
    })
  })
}

function invite(
  dialog: LostDialog,
  {
    framework,
    clock,
    localSdp,
    headers,
  }: {
    readonly framework: CallMaker
    readonly clock: Clock
    readonly localSdp: string
    readonly headers: SipHeaders
  },
): Promise<PlatformDialog> {
  const { from, to, routes } = addressesOf(dialog)
  const sendTo = routes[0] ?? natTargetOf(dialog)
  return new Promise((resolve, reject) => {
    framework.createUAC(
      dialog.remote.uri,
      {
        localSdp,
        headers: {
          ...headers,
          'Call-ID': dialog.sip.callId,
          From: from,
          To: to,
          CSeq: `${nextSequence(clock)} INVITE`,
          ...(routes.length === 0 ? {} : { Route: routes.join(', ') }),
          'Content-Type': 'application/sdp',
        },
        ...(sendTo === undefined ? {} : { proxy: sendTo }),
      },
      { cbRequest: () => {}, cbProvisional: () => {} },
      (failure, renewed) => (renewed ? resolve(renewed) : reject(failure)),
    )
  })
}

/**
 * More than any request of the dialog had: servers begin below 500 million, a renewed dialog counts from the second in
 * which it was renewed, and both go up by one a request. A lower one would be refused (RFC 3261 §12.2.2).
 */
function nextSequence(clock: Clock): number {
  return 600_000_000 + Math.floor((clock.epochMs() - Date.UTC(2026, 0)) / 1000)
}

/** Our side, the peer's, and the route set, as the messages that made the dialog say them (RFC 3261 §12.1). */
function addressesOf({ type, req, res, sip }: LostDialog) {
  const isCalled = type === 'uas'
  const recorded = splitAddresses([(isCalled ? req : res).get('Record-Route') ?? ''])
  const routes = recorded.filter((route) => route !== '')
  return {
    from: withTag((isCalled ? req.get('To') : req.get('From')) ?? '', sip.localTag),
    to: withTag((isCalled ? req.get('From') : res.get('To')) ?? '', sip.remoteTag),
    routes: isCalled ? routes : routes.toReversed(),
  }
}

function withTag(address: string, tag: string): string {
  const parameters = address.slice(address.lastIndexOf('>') + 1)
  if (/;\s*tag\s*=/i.test(parameters)) return address
  return `${address.includes('<') ? address : `<${address}>`};tag=${tag}`
}

/**
 * Where the peer's message came from, if its Contact names another host: then it is behind a NAT. A peer that called
 * over a connection has called from a port where nobody listens.
 */
function natTargetOf({ type, req, res, remote }: LostDialog): string | undefined {
  const source = type === 'uas' ? req : res
  const { uri } = remote
  if (isIP(source.source_address) === 0) return undefined
  if (readSipAddress(uri).host === source.source_address) return undefined
  if (type === 'uas' && /^sips:|;transport=t(cp|ls)\b/i.test(uri)) return undefined
  return sourceUri(source, uri)
}
