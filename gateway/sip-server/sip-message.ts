import { headerKey } from './header-names.ts'
import type { SipServerLimits } from './limits.ts'

/**
 * SIP messages as this folder handles them: strings of one character per byte (latin1), whatever encoding the
 * peer used. So lengths are byte lengths, bytes pass through unchanged, and a body is never decoded here.
 */

export interface SipHeader {
  /** Full name in lower case. */
  readonly key: string
  /** As received, name and folding included, without the last line end. */
  readonly line: string
  /** Trimmed; folds become one space. */
  readonly value: string
}

interface SipMessageParts {
  /** SIP version of the start line, `2.0`. */
  readonly version: string
  readonly startLine: string
  readonly headers: readonly SipHeader[]
  readonly body: string
  /** Bytes that came from the network. */
  readonly bytes: number
}

export interface SipRequest extends SipMessageParts {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
}

export interface SipResponse extends SipMessageParts {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
}

export type SipMessage = SipRequest | SipResponse

export type ParsedHead =
  | {
      readonly kind: 'head'
      /** A message without body yet. */
      readonly message: SipMessage
      /** Where the body begins. */
      readonly bodyStart: number
    }
  /** Not SIP, or a response that cannot be read: nobody to answer. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** A request that can be read well enough to be refused with 400 and this reason. */
  | { readonly kind: 'bad_request'; readonly reason: string; readonly message: SipRequest }

const TOKEN = /^[\w\-.!%*+`'~]+$/
const STATUS_LINE = /^SIP\/(\d+\.\d+) +([1-6]\d\d)(| .*)$/is
const VERSION = /^SIP\/(\d+\.\d+)$/i

/**
 * Reads start line and headers (RFC 3261 §7). Lines may end in LF alone, and names be compact or in any case.
 *
 * `text` begins with the start line; the head ends at the first empty line or at the text's end.
 */
export function parseHead(
  text: string,
  limits: Pick<SipServerLimits, 'maxHeadBytes' | 'maxHeaders'>,
): ParsedHead {
  const first = readLine(text, 0)
  const headers: SipHeader[] = []
  let fault: string | undefined
  let position = first.next
  let isEnded = false
  let lines = 0
  while (position < text.length) {
    const line = readLine(text, position)
    position = line.next
    if (line.text === '') {
      isEnded = true
      break
    }
    if (position > limits.maxHeadBytes) return { kind: 'unreadable', reason: 'head_too_long' }
    lines += 1
    // Folds count as well: each makes its header be copied.
    if (lines > limits.maxHeaders) return { kind: 'unreadable', reason: 'too_many_headers' }
    const previous = headers.at(-1)
    if (isFold(line.text) && previous !== undefined) {
      headers[headers.length - 1] = {
        key: previous.key,
        line: `${previous.line}\r\n${line.text}`,
        value: `${previous.value} ${line.text.trim()}`.trim(),
      }
      continue
    }
    const header = parseHeaderLine(line.text)
    if (header === undefined) fault ??= 'Bad Header Line'
    else headers.push(header)
  }
  if (!isEnded && position > limits.maxHeadBytes) {
    return { kind: 'unreadable', reason: 'head_too_long' }
  }
  const message = startOf(first.text, headers)
  if (message === undefined) return { kind: 'unreadable', reason: 'no_start_line' }
  if (message.kind === 'request') {
    if (/[\s<>"]/.test(message.uri) || message.uri === '') fault = 'Bad Request-URI'
    if (fault !== undefined) return { kind: 'bad_request', reason: fault, message }
  } else if (fault !== undefined) {
    return { kind: 'unreadable', reason: 'bad_header' }
  }
  return { kind: 'head', message, bodyStart: position }
}

/** The first header of that key, or undefined. `key` is the full name in lower case. */
export function headerValue(message: SipMessage, key: string): string | undefined {
  return message.headers.find((header) => header.key === key)?.value
}

export function headerValues(message: SipMessage, key: string): readonly string[] {
  return message.headers.filter((header) => header.key === key).map((header) => header.value)
}

/** The message as a drachtio server hands it on: each line as it came, joined by CRLF. */
export function messageText(message: SipMessage): string {
  let text = `${message.startLine}\r\n`
  for (const header of message.headers) text += `${header.line}\r\n`
  return `${text}\r\n${message.body}`
}

/** The same message with the first header of that key written anew. */
export function withHeader<Message extends SipMessage>(
  message: Message,
  key: string,
  replacement: { readonly name: string; readonly value: string },
): Message {
  const index = message.headers.findIndex((header) => header.key === key)
  if (index < 0) return message
  const { name, value } = replacement
  const headers = message.headers.with(index, { key, line: `${name}: ${value}`, value })
  return { ...message, headers }
}

interface Line {
  readonly text: string
  readonly next: number
}

function readLine(text: string, from: number): Line {
  const end = text.indexOf('\n', from)
  if (end < 0) return { text: withoutReturn(text.slice(from)), next: text.length }
  return { text: withoutReturn(text.slice(from, end)), next: end + 1 }
}

/** Carriage returns within a line would end it where the message is written anew. */
function withoutReturn(line: string): string {
  return line.includes('\r') ? line.replace(/\r+$/, '').replace(/\r+/g, ' ') : line
}

function isFold(line: string): boolean {
  return line.startsWith(' ') || line.startsWith('\t')
}

function parseHeaderLine(line: string): SipHeader | undefined {
  const colon = line.indexOf(':')
  if (colon < 1) return undefined
  const name = line.slice(0, colon).trimEnd()
  if (!TOKEN.test(name)) return undefined
  return { key: headerKey(name), line, value: line.slice(colon + 1).trim() }
}

function startOf(startLine: string, headers: readonly SipHeader[]): SipMessage | undefined {
  const parts = { startLine, headers, body: '', bytes: 0 }
  const status = STATUS_LINE.exec(startLine)
  if (status) {
    const [, version = '', code = '', reason = ''] = status
    return { kind: 'response', version, status: Number(code), reason: reason.trim(), ...parts }
  }
  const firstSpace = startLine.indexOf(' ')
  const lastSpace = startLine.trimEnd().lastIndexOf(' ')
  if (firstSpace < 1 || lastSpace <= firstSpace) return undefined
  const method = startLine.slice(0, firstSpace)
  const version = VERSION.exec(startLine.slice(lastSpace + 1).trimEnd())?.[1]
  if (!TOKEN.test(method) || version === undefined) return undefined
  const uri = startLine.slice(firstSpace + 1, lastSpace)
  return { kind: 'request', method, uri, version, ...parts }
}
