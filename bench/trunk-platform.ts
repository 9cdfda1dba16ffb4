import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readMedia } from '../cli/caller/sip-answer.ts'
import type { MediaAddress } from '../recorder/recording-plan.ts'
import { CALL_NUMBER_HEADER, writePlainSdp } from './trunk-messages.ts'

/** Told a call's number and where it takes media; gives the RTP port for the answer. */
type OnCalled = (callNumber: number, media: MediaAddress) => number

/** Headers that a response has from its request (RFC 3261 §8.2.6.2, §12.1.1). */
const COPIED = /^(via|from|call-id|cseq|record-route):/i

/**
 * The platform that trunk calls go to, on one UDP port of loopback: answers every call at once and every other
 * request with 200.
 */
export class TrunkPlatform {
  readonly #socket: Socket
  readonly #onCalled: OnCalled
  readonly #tags = new Map<string, string>()

  private constructor(socket: Socket, onCalled: OnCalled) {
    this.#socket = socket
    this.#onCalled = onCalled
    socket.on('message', (datagram, from) => this.#receive(datagram.toString('utf8'), from))
    socket.on('error', () => {})
  }

  static async open(port: number, onCalled: OnCalled): Promise<TrunkPlatform> {
    const socket = createSocket('udp4')
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return new TrunkPlatform(socket, onCalled)
  }

  close(): void {
    this.#socket.close()
  }

  #receive(text: string, from: RemoteInfo): void {
    const [head = '', body = ''] = text.split('\r\n\r\n', 2)
    const [requestLine = '', ...lines] = head.split('\r\n')
    const method = /^([A-Z]+) /.exec(requestLine)?.[1]
    if (method === undefined || method === 'ACK') return
    const answer = method === 'INVITE' ? this.#answerCall(lines, body) : ''
    const copied = lines.filter((line) => COPIED.test(line))
    const { address, port } = this.#socket.address()
    const response = [
      'SIP/2.0 200 OK',
      ...copied,
      this.#taggedTo(lines),
      `Contact: <sip:platform@${address}:${port}>`,
      ...(answer === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${answer.length}`,
      '',
      answer,
    ].join('\r\n')
    this.#socket.send(response, from.port, from.address)
  }

  #answerCall(lines: readonly string[], body: string): string {
    const callNumber = Number(headerOf(lines, CALL_NUMBER_HEADER))
    const [media] = readMedia(body)
    if (media === undefined) return ''
    return writePlainSdp(this.#socket.address().address, this.#onCalled(callNumber, media))
  }

  /** The same tag for an INVITE that comes again. */
  #taggedTo(lines: readonly string[]): string {
    const to = headerOf(lines, 'To')
    if (/;\s*tag=/i.test(to)) return `To: ${to}`
    const callId = headerOf(lines, 'Call-ID')
    const tag = this.#tags.get(callId) ?? randomBytes(4).toString('hex')
    this.#tags.set(callId, tag)
    return `To: ${to};tag=${tag}`
  }
}

function headerOf(lines: readonly string[], name: string): string {
  const start = `${name.toLowerCase()}:`
  return (
    lines
      .find((line) => line.toLowerCase().startsWith(start))
      ?.slice(start.length)
      .trim() ?? ''
  )
}
