import { formatHost } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { newUuid } from './tokens.ts'
import type { Peer } from './transport.ts'

/** Time of day in UTC as the protocol has it: `16:08:50.925069`. */
export function timeOfDay(clock: Clock): string {
  const iso = new Date(clock.epochMs()).toISOString()
  return `${iso.slice(11, 23)}000`
}

/** A SIP message that goes to a client of itself. */
export interface SipFrame {
  readonly source: 'network' | 'application'
  /** As received or sent; 0 for a response that the server made up. */
  readonly bytes: number
  /** Empty for an ACK. */
  readonly protocol: string
  readonly host: string
  readonly port: number
  readonly time: string
  readonly transactionId: string
  readonly dialogId: string
  /** Where a request outside a dialog came in. */
  readonly receivedOn?: { readonly host: string; readonly port: number }
  readonly text: string
}

export function sipFrame(frame: SipFrame): string {
  const { source, bytes, protocol, host, port, time, transactionId, dialogId } = frame
  const meta = `${source}|${bytes}|${protocol}|${host}|${port}|${time}|${transactionId}|${dialogId}|`
  const on = frame.receivedOn
  const receivedOn = on === undefined ? '' : `${formatHost(on.host)}|${on.port}|`
  return `${newUuid()}|sip|${meta}${receivedOn}\r\n${frame.text}`
}

/** A client's request went out. */
export function requestSent(options: {
  readonly frameId: string
  readonly peer: Peer
  readonly time: string
  readonly transactionId: string
  readonly text: string
}): string {
  const { peer, time, transactionId, text } = options
  // As a drachtio server has it: of a connection it names the far end, of a datagram socket its own.
  const { transport, localHost, localPort, host, port } = peer
  const at = transport.isReliable ? { host, port } : { host: localHost, port: localPort }
  const where = `${transport.name}|${formatHost(at.host)}|${at.port}`
  const meta = `application|${text.length}|${where}|${time}|${transactionId}`
  return `${newUuid()}|response|${options.frameId}|OK|${meta}|Msg sent:|\r\n${text}`
}

/** A client's response went out. */
export function responseSent(options: {
  readonly frameId: string
  /** Empty where the transaction has let go of it: after a final response to any request but INVITE. */
  readonly protocol: string
  readonly peer: Peer
  readonly time: string
  readonly transactionId: string
  readonly dialogId: string
  readonly text: string
}): string {
  const { protocol, peer, time, transactionId, dialogId, text } = options
  const meta = `application|${text.length}|${protocol}|${peer.host}|${peer.port}|${time}`
  return `${newUuid()}|response|${options.frameId}|OK|${meta}|${transactionId}|${dialogId}||Msg sent:|\r\n${text}`
}

/** A client's request or response could not be sent. */
export function notSent(frameId: string, reason: string): string {
  return `${newUuid()}|response|${frameId}|NOK|${reason}`
}

/** Answer to a command that is no SIP: `OK` or `NO`, and what belongs to it. */
export function commandAnswer(frameId: string, isOk: boolean, text = ''): string {
  const tail = text === '' ? '' : `|${text}`
  return `${newUuid()}|response|${frameId}|${isOk ? 'OK' : 'NO'}${tail}`
}
