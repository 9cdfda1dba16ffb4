import type { SipServerLimits } from './limits.ts'
import { contentLength, stalledBody } from './message-body.ts'
import { type ParsedHead, parseHead, type SipRequest } from './sip-message.ts'
import type { Received } from './transport.ts'

type PendingHead = Exclude<ParsedHead, { readonly kind: 'unreadable' }>

/**
 * Cuts a stream into messages by Content-Length, counted in bytes (RFC 3261 §18.3).
 *
 * What cannot be followed (no length, not SIP, too large) ends it: the last item tells why, and later bytes are
 * ignored.
 */
export class StreamFramer {
  readonly #limits: SipServerLimits
  #pending = ''
  /** Up to where the pending text is known to hold no end of a head. */
  #searched = 0
  #head: PendingHead | undefined
  #headBytes = 0
  #bodyBytes = 0
  #isEnded = false

  constructor(limits: SipServerLimits) {
    this.#limits = limits
  }

  /** Whether part of a message has come and the rest has not. */
  get isInsideMessage(): boolean {
    if (this.#isEnded) return false
    return this.#head !== undefined || (this.#pending !== '' && !/^[\r\n]/.test(this.#pending))
  }

  /**
   * The message whose body comes no further than it has, where it is one that clients miscount and all that matters of
   * it is there; what comes next is another message. Undefined where it is to be waited for.
   */
  takeStalled(): Received | undefined {
    const head = this.#head
    if (head?.kind !== 'head') return undefined
    const bytes = this.#pending.length
    const message = stalledBody(head.message, this.#pending.slice(this.#headBytes))
    if (message === undefined) return undefined
    this.#forgetMessage(bytes)
    return { kind: 'message', message: { ...message, bytes } }
  }

  /** Ends the stream within a message. Gives the refusal of a request whose head has come. */
  giveUp(): Received | undefined {
    const head = this.#head
    this.#end({ kind: 'keep_alive' })
    if (head === undefined || head.message.kind === 'response') return undefined
    return {
      kind: 'bad_request',
      message: head.message,
      status: 400,
      reason: 'Body Shorter Than Content-Length',
      isLast: true,
    }
  }

  /** Takes what came, of any length, and gives what is complete. `text` is latin1. */
  push(text: string): readonly Received[] {
    if (this.#isEnded) return []
    this.#pending += text
    const items: Received[] = []
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      items.push(item)
      if (this.#isEnded) break
    }
    return items
  }

  #next(): Received | undefined {
    if (this.#head === undefined) {
      const skipped = this.#skipLineEnds()
      if (skipped !== undefined) return skipped
      const refusal = this.#readHead()
      if (refusal !== undefined) return refusal
    }
    const head = this.#head
    if (head === undefined || this.#pending.length < this.#headBytes + this.#bodyBytes) {
      return undefined
    }
    const bytes = this.#headBytes + this.#bodyBytes
    const body = this.#pending.slice(this.#headBytes, bytes)
    this.#forgetMessage(bytes)
    if (head.kind === 'bad_request') {
      const { message, reason } = head
      return { kind: 'bad_request', message, status: 400, reason, isLast: false }
    }
    return { kind: 'message', message: { ...head.message, body, bytes } }
  }

  /** A double CRLF between messages asks for one CRLF back (RFC 5626 §3.5.1). */
  #skipLineEnds(): Received | undefined {
    const lead = /^[\r\n]+/.exec(this.#pending)?.[0]
    if (lead === undefined) return undefined
    if (lead.startsWith('\r\n\r\n')) {
      this.#pending = this.#pending.slice(4)
      return { kind: 'keep_alive' }
    }
    // Half of a keep-alive may have come; a stray line end before a message is no more than that.
    if (lead.length < this.#pending.length) this.#pending = this.#pending.slice(lead.length)
    else if (lead.length > 4) this.#pending = ''
    return undefined
  }

  #readHead(): Received | undefined {
    const end = endOfHead(this.#pending, this.#searched)
    if (end === undefined) {
      if (this.#pending.length > this.#limits.maxHeadBytes) {
        return this.#end({ kind: 'dropped', reason: 'head_too_long' })
      }
      this.#searched = Math.max(0, this.#pending.length - 3)
      return undefined
    }
    const head = parseHead(this.#pending.slice(0, end), this.#limits)
    if (head.kind === 'unreadable') return this.#end({ kind: 'dropped', reason: head.reason })
    const length = contentLength(head.message)
    if (typeof length === 'string') {
      const reason = length === 'absent' ? 'Missing Content-Length' : 'Bad Content-Length Header'
      return this.#refuse(head, 400, reason)
    }
    if (end + length > this.#limits.maxMessageBytes) {
      return this.#refuse(head, 413, 'Request Entity Too Large')
    }
    this.#head = head
    this.#headBytes = end
    this.#bodyBytes = length
    return undefined
  }

  #forgetMessage(bytes: number): void {
    this.#pending = this.#pending.slice(bytes)
    this.#head = undefined
    this.#searched = 0
  }

  #refuse(head: PendingHead, status: number, reason: string): Received {
    const { message } = head
    if (message.kind === 'response') return this.#end({ kind: 'dropped', reason: 'bad_framing' })
    const request: SipRequest = message
    return this.#end({ kind: 'bad_request', message: request, status, reason, isLast: true })
  }

  #end(last: Received): Received {
    this.#isEnded = true
    this.#pending = ''
    this.#head = undefined
    return last
  }
}

/** Where the body begins: after the first empty line, or undefined where it has not come yet. */
function endOfHead(text: string, from: number): number | undefined {
  for (let at = text.indexOf('\n', from); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text[at + 1] === '\n') return at + 2
    if (text[at + 1] === '\r' && text[at + 2] === '\n') return at + 3
  }
  return undefined
}
