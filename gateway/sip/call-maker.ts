import type { SipDialog, SipFramework, SipHeaders, SipRequest, SipResponse } from './sip-surface.ts'

/**
 * The part of drachtio-srf that passing calls on needs, as its code behaves; it adds to what receiving them needs.
 */

/** An INVITE of ours on its way. */
export interface OutgoingInvite extends Omit<SipRequest, 'on'> {
  /** An UPDATE of the peer's before its final response (RFC 3311). */
  on(event: 'update', listener: (request: SipRequest, response: SipResponse) => void): void
  removeAllListeners(event: 'update'): void
  /** Sends CANCEL; the final response still comes. Does nothing harmful after it. */
  cancel(options: { readonly headers?: SipHeaders }, callback?: (failure: unknown) => void): void
}

/** What the callback of `createUAC` gets for any final response but 200. */
export interface SipRefusal extends Error {
  readonly status: number
  readonly reason: string
  readonly res?: SipResponse
}

export interface PlatformDialog extends SipDialog {
  readonly remote: { readonly uri: string; readonly sdp: string | undefined }
  readonly res: SipResponse
}

export interface InviteOptions {
  readonly localSdp: string
  readonly headers: SipHeaders
  /** Where to send it, whatever its URI says. */
  readonly proxy?: string
}

export interface CallMaker {
  /**
   * Sends an INVITE. The PRACK of a reliable provisional response and the ACK of the final one go out by themselves.
   * Calls back with the dialog, or with a `SipRefusal`.
   */
  createUAC(
    uri: string,
    options: InviteOptions,
    progress: {
      readonly cbRequest: (failure: unknown, request: OutgoingInvite | undefined) => void
      readonly cbProvisional: (response: SipResponse) => void
    },
    callback: (failure: unknown, dialog: PlatformDialog | undefined) => void,
  ): void
}

/** Sends requests that belong to no dialog object. */
export interface RequestSender {
  request(
    uri: string,
    options: {
      readonly method: string
      readonly headers?: SipHeaders
      /** A dialog of the SIP server's. One that it does not know fails with the code `ENODIALOG`. */
      readonly stackDialogId?: string
    },
    callback: (failure: unknown, request: SentRequest | undefined) => void,
  ): void
}

export interface SentRequest {
  on(event: 'response', listener: (response: SipResponse) => void): void
}

export type TrunkFramework = SipFramework & CallMaker & RequestSender

export function isRefusal(failure: unknown): failure is SipRefusal {
  return failure instanceof Error && 'status' in failure && typeof failure.status === 'number'
}
