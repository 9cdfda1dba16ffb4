import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { InviteOptions, PlatformDialog } from '../../sip/call-maker.ts'
import type { LostDialog } from '../../sip/renew-dialog.ts'
import type { SipHeaders } from '../../sip/sip-surface.ts'

/** The part of drachtio-fsmrf 4 that the gateway uses, as its code behaves; the package has no types. */

export interface EventSocketConnection {
  readonly socket: Socket
  subscribe(events: string): void
  on(event: string, listener: () => void): this
  removeListener(event: string, listener: () => void): this
}

export interface EndpointDialog extends LostDialog {
  readonly connected: boolean
  on(event: 'destroy', listener: () => void): void
  /** Sends BYE; where FreeSWITCH is gone it takes 32 s to find that out. */
  destroy(): Promise<unknown>
}

export interface Endpoint {
  readonly uuid: string
  readonly conn: EventSocketConnection | null
  readonly connected: boolean
  readonly local: { readonly sdp: string }
  /** The SIP dialog with FreeSWITCH; another may be put in its place. */
  dialog: EndpointDialog | null
  /** Resolves with FreeSWITCH's answer. Never settles where FreeSWITCH dies meanwhile. */
  modify(sdp: string): Promise<string>
  /** Resolves when the command was taken, which is before the endpoints hear each other. */
  bridge(other: Endpoint): Promise<unknown>
  play(file: string): Promise<unknown>
  /** Resolves when the command was taken, which is before a fork is connected. */
  api(command: string, args: string): Promise<{ readonly body?: string }>
  destroy(): Promise<unknown>
  on(event: 'destroy', listener: () => void): this
  /** A key that the party pressed, which FreeSWITCH keeps out of the audio where it came as an event. */
  on(event: 'dtmf', listener: (press: { readonly dtmf?: string }) => void): this
  addCustomEventListener(event: string, listener: (body: unknown) => void): void
}

export interface MediaServer {
  readonly conn: EventSocketConnection
  readonly currentSessions: number
  createEndpoint(options: {
    readonly remoteSdp?: string
    readonly headers?: SipHeaders
  }): Promise<Endpoint>
  disconnect(): void
  /** The event socket is gone: FreeSWITCH ended, or the network did. */
  on(event: 'end', listener: () => void): this
  on(event: 'error', listener: (failure: Error) => void): this
}

export interface MediaResourceFunction {
  connect(options: {
    readonly address: string
    readonly port: number
    readonly secret: string
    /** Where FreeSWITCH reaches this process; the library's own guess may be an address that it cannot. */
    readonly listenAddress: string
    readonly advertisedAddress?: string
    readonly profile: string
  }): Promise<MediaServer>
}

/** Calls FreeSWITCH, in the promise form of the framework's `createUAC`. */
export interface EndpointCaller {
  createUAC(uri: string, options: InviteOptions): Promise<PlatformDialog>
}

export function createMediaResourceFunction(caller: EndpointCaller): MediaResourceFunction {
  // The package is CommonJS and exports its class whole.
  const Mrf: new (caller: EndpointCaller) => MediaResourceFunction = createRequire(import.meta.url)(
    'drachtio-fsmrf',
  )
  return new Mrf(caller)
}
