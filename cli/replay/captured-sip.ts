import { DEFAULT_LIMITS } from '../../gateway/sip-server/limits.ts'
import { datagramBody } from '../../gateway/sip-server/message-body.ts'
import { parseHead, type SipMessage } from '../../gateway/sip-server/sip-message.ts'
import { StreamFramer } from '../../gateway/sip-server/stream-framer.ts'
import type { CaptureNotes } from './capture/capture-notes.ts'
import type { Captured } from './capture/datagrams.ts'
import { type StreamBytes, TcpStreams } from './capture/tcp-streams.ts'
import type { SipTransport } from './sip-carrier.ts'

/** A SIP message of a capture, its text one character for each byte. */
export interface CapturedMessage {
  /** Of the packet that completed it. */
  readonly packet: number
  readonly atMs: number
  readonly transport: SipTransport
  readonly message: SipMessage
}

const SIP_START = /^(?:SIP\/2\.0 \d{3} |[A-Z]{3,12} (?:sips?|tel):\S+ SIP\/2\.0\r?\n)/i
const TLS_HANDSHAKE = 0x16
const MOST_MESSAGES = 200_000

/** Finds the SIP messages of a capture, over UDP and TCP, on whatever port. */
export class CapturedSip {
  readonly messages: CapturedMessage[] = []
  readonly #notes: CaptureNotes
  readonly #streams = new TcpStreams()
  readonly #framers = new Map<string, StreamFramer>()

  constructor(notes: CaptureNotes) {
    this.#notes = notes
  }

  take(captured: Captured): void {
    if (captured.kind === 'udp') this.#takeDatagram(captured)
    else for (const piece of this.#streams.push(captured)) this.#takeBytes(piece)
  }

  /** Nothing more comes. Puts the messages in order of time. */
  finish(): void {
    for (const piece of this.#streams.finish()) this.#takeBytes(piece)
    this.messages.sort((a, b) => a.atMs - b.atMs)
  }

  #takeDatagram({ payload, number, atMs }: Captured): void {
    if (!isSip(payload)) return
    const text = payload.toString('latin1')
    const head = parseHead(text, DEFAULT_LIMITS)
    if (head.kind !== 'head') {
      this.#notes.add(`begins like SIP and cannot be read (${head.reason})`, number)
      return
    }
    const body = datagramBody(head.message, text.slice(head.bodyStart))
    if (body.kind === 'bad') this.#notes.add(`is SIP without a whole body (${body.reason})`, number)
    else this.#add({ packet: number, atMs, transport: 'udp', message: body.message })
  }

  #takeBytes({ bytes, isAfterGap, segment }: StreamBytes): void {
    const { from, to, number, atMs } = segment
    const key = `${from.address} ${from.port} ${to.address} ${to.port}`
    if (bytes[0] === TLS_HANDSHAKE && bytes[1] === 3) {
      this.#notes.add('begins a TLS connection, and what goes over it cannot be read', number)
    }
    if (isAfterGap && this.#framers.delete(key)) {
      this.#notes.add('follows a gap in a TCP connection that carries SIP', number)
    }
    let framer = this.#framers.get(key)
    if (framer === undefined) {
      if (!isSip(bytes)) return
      framer = new StreamFramer(DEFAULT_LIMITS)
      this.#framers.set(key, framer)
    }
    for (const item of framer.push(bytes.toString('latin1'))) {
      if (item.kind === 'message') {
        this.#add({ packet: number, atMs, transport: 'tcp', message: item.message })
      } else if (item.kind !== 'keep_alive') {
        this.#notes.add(`holds SIP over TCP that cannot be read (${item.reason})`, number)
        this.#framers.delete(key)
      }
    }
  }

  #add(message: CapturedMessage): void {
    if (this.messages.length < MOST_MESSAGES) this.messages.push(message)
    else this.#notes.add(`is SIP beyond the first ${MOST_MESSAGES} messages`, message.packet)
  }
}

function isSip(bytes: Buffer): boolean {
  return SIP_START.test(bytes.toString('latin1', 0, 1024))
}
