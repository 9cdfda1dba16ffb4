import type { HeaderField } from './message-writer.ts'
import type { OwnStatus } from './responses.ts'
import type { SipRequest } from './sip-message.ts'
import type { Peer, TransportName } from './transport.ts'

/** Something that peers do not do in earnest. */
export type Offence =
  /** What came is no SIP, or breaks its rules. */
  | 'malformed'
  /** A request that was refused in a way that guesses provoke: 403, 404, 405. */
  | 'refused'

export type Admission =
  | { readonly kind: 'admitted' }
  /** Not even answered. */
  | { readonly kind: 'dropped'; readonly reason: string }
  | {
      readonly kind: 'refused'
      readonly status: OwnStatus
      readonly fields: readonly HeaderField[]
    }

/** Who sends: names are undefined until the handshake of TLS has told them. */
export interface Sender {
  readonly host: string
  readonly transport: TransportName
  readonly names: readonly string[] | undefined
}

/** Asked about peers before they cost the server anything. Everything here is synchronous and never throws. */
export interface Door {
  /** Whether nothing at all is taken from there: no datagram, no connection. */
  isShut(sender: Sender): boolean
  /** What becomes of a request that begins something: one of no transaction and of no dialog that is known. */
  admit(request: SipRequest, peer: Peer): Admission
  /** Whether something that cannot be taken is to be answered at all. */
  mayAnswer(peer: Peer): boolean
  offended(offence: Offence, peer: Peer): void
}

/** Lets everybody in. */
export const OPEN_DOOR: Door = {
  isShut: () => false,
  admit: () => ({ kind: 'admitted' }),
  mayAnswer: () => true,
  offended: () => {},
}

/** The sender of what came from a peer. */
export function senderOf({ host, transport, names }: Peer): Sender {
  return { host, transport: transport.name, names }
}
