import { isIP } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { readSipAddress, splitAddresses } from '../sip-address.ts'
import { type CallMaker, isRefusal, type PlatformDialog, type RequestSender } from './call-maker.ts'
import type { SipDialog, SipHeaders } from './sip-surface.ts'

/** As much of a dialog as renewing it takes. */
export type LostDialog = Pick<
  SipDialog,
  'id' | 'type' | 'sip' | 'local' | 'remote' | 'req' | 'res' | 'srf'
>

/** What renewing needs of a SIP server: the one that held the dialog, or another. */
export type DialogRenewer = CallMaker & RequestSender

/** What became of a dialog whose SIP server was lost. */
export type Renewal =
  | {
      readonly kind: 'renewed'
      /** In the place of the one that was lost. */
      readonly dialog: PlatformDialog
      /**
       * False where the server still had the dialog from before: it refuses what the peer asks for, its BYE included,
       * so that the peer has to be asked whether it is still there.
       */
      readonly hearsPeer: boolean
    }
  /** The peer knows it no longer. */
  | { readonly kind: 'gone' }
  /** Nobody could be asked, or the peer will not have it. */
  | { readonly kind: 'unanswered'; readonly reason: string }

/**
 * Takes a dialog up again by a re-INVITE with its own Call-ID and tags (RFC 3261 §12.2.1.1), through a SIP server that
 * has never heard of it or has lost sight of us. To the peer it is the same dialog, with our Contact anew.
 *
 * Never rejects.
 */
export async function renewDialog(
  dialog: LostDialog,
  {
    framework,
    localSdp,
    headers,
    clock,
  }: {
    readonly framework: DialogRenewer
    readonly clock: Clock
    /** What the peer has of us. */
    readonly localSdp: string
    /** Of the re-INVITE; a peer whose own requests will not be heard cannot refresh the session. */
    readonly headers: (hearsPeer: boolean) => SipHeaders
  },
): Promise<Renewal> {
  try {
    const isNew = await isForgotten(dialog, framework)
    // Before there is another, which may have the same id.
    dialog.srf.removeDialog(dialog)
    const renewed = await invite(dialog, {
      framework,
      localSdp,
      headers: headers(isNew),
      sequence: isNew ? nextSequence(clock) : undefined,
    })
    return { kind: 'renewed', dialog: renewed, hearsPeer: isNew }
  } catch (failure) {
    const status = isRefusal(failure) ? failure.status : undefined
    if (status === 481 || status === 404) return { kind: 'gone' }
    return { kind: 'unanswered', reason: messageOf(failure) }
  }
}

/** Whether the server refuses the dialog's id: then a request of ours makes a new entry there, which belongs to us. */
function isForgotten(dialog: LostDialog, framework: DialogRenewer): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { method: 'OPTIONS', stackDialogId: dialog.id }
    framework.request('sip:placeholder', options, (failure, request) => {
      if (request === undefined || failure) {
        return resolve(
          failure instanceof Error && 'code' in failure && failure.code === 'ENODIALOG',
        )
      }
      resolve(false)
    })
  })
}

function invite(
  dialog: LostDialog,
  {
    framework,
    localSdp,
    headers,
    sequence,
  }: {
    readonly framework: CallMaker
    readonly localSdp: string
    readonly headers: SipHeaders
    /** For a server that has no entry from before, which would count from anywhere. */
    readonly sequence: number | undefined
  },
): Promise<PlatformDialog> {
  const { from, to, routes } = addressesOf(dialog)
  const sendTo = routes[0] ?? natTargetOf(dialog)
  const addresses = {
    From: from,
    To: to,
    CSeq: `${sequence} INVITE`,
    ...(routes.length === 0 ? {} : { Route: routes.join(', ') }),
  }
  return new Promise((resolve, reject) => {
    framework.createUAC(
      dialog.remote.uri,
      {
        localSdp,
        // By its Call-ID a server that has the dialog finds all else.
        headers: {
          ...headers,
          'Call-ID': dialog.sip.callId,
          'Content-Type': 'application/sdp',
          ...(sequence === undefined ? {} : addresses),
        },
        ...(sequence === undefined || sendTo === undefined ? {} : { proxy: sendTo }),
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

/** Where the peer's message came from, if its Contact names another host: then it is behind a NAT. */
function natTargetOf({ type, req, res, remote }: LostDialog): string | undefined {
  const { source_address: address, source_port: port } = type === 'uas' ? req : res
  if (isIP(address) === 0 || readSipAddress(remote.uri).host === address) return undefined
  const transport = /;transport=\w+/i.exec(remote.uri)?.[0] ?? ''
  return `sip:${isIP(address) === 6 ? `[${address}]` : address}:${port}${transport}`
}
