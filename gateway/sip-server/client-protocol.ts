/**
 * The protocol between a drachtio server and its clients: `LENGTH#` and LENGTH bytes, which are an id, a kind and
 * fields between `|`, and for SIP a line end and the message. Text here is one character per byte.
 */

export interface ClientFrame {
  readonly id: string
  readonly kind: string
  /** What follows the kind. */
  readonly fields: readonly string[]
  /** The message's parts, empty where it has none. */
  readonly startLine: string
  readonly headers: string
  readonly body: string
}

export type FrameOutcome =
  | { readonly kind: 'frame'; readonly frame: ClientFrame }
  /** The stream cannot be followed any further. */
  | { readonly kind: 'broken'; readonly reason: string }

const MAX_DIGITS = 7

/** Cuts a client's stream into frames; a length that is none, or too large, breaks it. */
export class FrameReader {
  readonly #maxFrameBytes: number
  #pending = ''
  #isBroken = false

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  push(text: string): readonly FrameOutcome[] {
    if (this.#isBroken) return []
    this.#pending += text
    const outcomes: FrameOutcome[] = []
    for (let outcome = this.#next(); outcome !== undefined; outcome = this.#next()) {
      outcomes.push(outcome)
      if (this.#isBroken) break
    }
    return outcomes
  }

  #next(): FrameOutcome | undefined {
    const mark = this.#pending.indexOf('#')
    const digits = mark < 0 ? this.#pending : this.#pending.slice(0, mark)
    if (digits.length > MAX_DIGITS || !/^\d*$/.test(digits)) return this.#break('bad length')
    if (mark < 0) return undefined
    const length = Number(digits)
    if (length === 0 || length > this.#maxFrameBytes) return this.#break('length out of bounds')
    const end = mark + 1 + length
    if (this.#pending.length < end) return undefined
    const frame = parseFrame(this.#pending.slice(mark + 1, end))
    this.#pending = this.#pending.slice(end)
    return { kind: 'frame', frame }
  }

  #break(reason: string): FrameOutcome {
    this.#isBroken = true
    this.#pending = ''
    return { kind: 'broken', reason }
  }
}

/** `LENGTH#` before the content. */
export function frameText(content: string): string {
  return `${content.length}#${content}`
}

function parseFrame(content: string): ClientFrame {
  const [meta, message] = cut(content, '\r\n')
  const [head, body] = cut(message, '\r\n\r\n')
  const [startLine, headers] = cut(head, '\r\n')
  const [id = '', kind = '', ...fields] = meta.split('|')
  return { id, kind, fields, startLine, headers, body }
}

function cut(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)]
}
