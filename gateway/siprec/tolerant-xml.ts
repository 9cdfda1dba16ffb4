import type { XmlElement } from './xml-element.ts'
import { objectionTo, XML_LIMITS } from './xml-limits.ts'
import { decodeReferences } from './xml-references.ts'

export interface XmlReading {
  /** Null where nothing could be read or the document is refused. */
  readonly root: XmlElement | null
  readonly problems: readonly string[]
  /** How far the reader went; the work is proportional to it. */
  readonly charactersRead: number
}

interface OpenElement {
  readonly qualifiedName: string
  readonly name: string
  readonly namespace: string
  readonly attributes: Map<string, string>
  readonly declared: ReadonlyMap<string, string>
  readonly children: XmlElement[]
  text: string
}

/**
 * Reads XML as recording clients write it, in one pass and without ever throwing: a bare `&` or `<` is text, an
 * unclosed element ends with its parent, a document cut off anywhere keeps what came before.
 *
 * It knows no document type and no entities but the five of XML and character references. A document with a `<!DOCTYPE`
 * or `<!ENTITY`, or beyond a limit that no honest one comes near, is refused whole.
 */
export function readXml(text: string): XmlReading {
  const objection = objectionTo(text)
  if (objection !== undefined) return { root: null, problems: [objection], charactersRead: 0 }
  return new XmlReader(text).read()
}

class XmlReader {
  readonly #text: string
  readonly #problems: string[] = []
  readonly #name = /[A-Za-z_\u0080-\uffff][\w.:\-\u0080-\uffff]{0,127}/y
  readonly #notSpace = /\S/g
  readonly #attributeNameEnd = /[\s=>/]/g
  readonly #bareValueEnd = /\s|\/?>/g
  readonly #stack: OpenElement[] = [openElement('', new Map(), new Map())]
  #at = 0
  #elements = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): XmlReading {
    while (this.#at < this.#text.length) {
      const tag = this.#text.indexOf('<', this.#at)
      const textEnd = tag < 0 ? this.#text.length : tag
      this.#addText(decodeReferences(this.#text.slice(this.#at, clip(this.#at, textEnd))))
      this.#at = textEnd
      if (tag >= 0 && !this.#readMarkup()) break
    }
    const charactersRead = this.#at
    if (this.#stack.length > 1) {
      this.#problems.push(`metadata ends inside <${this.#top().qualifiedName}>`)
      // Half a number is worse than none.
      this.#top().text = ''
    }
    while (this.#stack.length > 1) this.#closeTop()
    return { root: this.#top().children[0] ?? null, problems: this.#problems, charactersRead }
  }

  /** Reads what begins at `<`; false where reading is to stop. */
  #readMarkup(): boolean {
    const second = this.#text[this.#at + 1]
    if (second === '/') return this.#readEndTag()
    if (second === '?') return this.#skipPast('?>')
    if (second !== '!') return this.#readStartTag()
    if (this.#text.startsWith('<!--', this.#at)) return this.#skipPast('-->')
    if (this.#text.startsWith('<![CDATA[', this.#at)) return this.#readCharacterData()
    return this.#takeLiterally()
  }

  #skipPast(mark: string): boolean {
    const end = this.#text.indexOf(mark, this.#at)
    this.#at = end < 0 ? this.#text.length : end + mark.length
    return end >= 0
  }

  #readCharacterData(): boolean {
    const from = this.#at + '<![CDATA['.length
    const isClosed = this.#skipPast(']]>')
    const end = isClosed ? this.#at - 3 : this.#at
    this.#addText(this.#text.slice(from, clip(from, end)))
    return isClosed
  }

  #takeLiterally(): boolean {
    this.#addText('<')
    this.#at += 1
    return true
  }

  #readEndTag(): boolean {
    const from = this.#at + 2
    if (!this.#skipPast('>')) return false
    const name = this.#text.slice(from, Math.min(this.#at - 1, from + XML_LIMITS.nameLength)).trim()
    const depth = this.#stack.findLastIndex((element) => element.qualifiedName === name)
    if (depth < 1) {
      if (this.#problems.length < 16) this.#problems.push('an end tag that closes nothing')
      return true
    }
    while (this.#stack.length > depth) this.#closeTop()
    return true
  }

  #readStartTag(): boolean {
    const nameEnd = this.#nameEnd(this.#at + 1)
    const after = this.#text[nameEnd]
    if (after === undefined) {
      this.#at = this.#text.length
      return false
    }
    // `<sip:2000@192.0.2.1>` or `a < b` in a name that nobody escaped.
    if (nameEnd === this.#at + 1 || !/[\s/>]/.test(after)) return this.#takeLiterally()
    const qualifiedName = this.#text.slice(this.#at + 1, nameEnd)
    if (this.#elements >= XML_LIMITS.elements || this.#stack.length > XML_LIMITS.depth) {
      this.#problems.push(
        `more than ${XML_LIMITS.elements} elements or deeper than ${XML_LIMITS.depth}: the rest is not read`,
      )
      return false
    }
    this.#elements += 1
    this.#at = nameEnd
    return this.#readAttributes(qualifiedName)
  }

  /** Where a name that begins at `from` ends; `from` itself where none begins. */
  #nameEnd(from: number): number {
    this.#name.lastIndex = from
    return from + (this.#name.exec(this.#text)?.[0].length ?? 0)
  }

  #readAttributes(qualifiedName: string): boolean {
    const attributes = new Map<string, string>()
    const declared = new Map<string, string>()
    for (let count = 0; count <= XML_LIMITS.attributes; count++) {
      this.#skipSpace()
      const character = this.#text[this.#at]
      if (character === undefined) break
      const isEmpty = this.#text.startsWith('/>', this.#at)
      if (character === '>' || isEmpty) {
        this.#at += isEmpty ? 2 : 1
        this.#stack.push(this.#resolve(qualifiedName, attributes, declared))
        if (isEmpty) this.#closeTop()
        return true
      }
      this.#readAttribute(attributes, declared)
    }
    this.#problems.push(
      this.#at < this.#text.length
        ? `more than ${XML_LIMITS.attributes} attributes: the rest is not read`
        : `metadata ends inside the tag <${qualifiedName}`,
    )
    // What a cut-off tag already told is kept.
    this.#stack.push(this.#resolve(qualifiedName, attributes, declared))
    return false
  }

  #readAttribute(attributes: Map<string, string>, declared: Map<string, string>): void {
    const from = this.#at
    const nameEnd = this.#scanTo(this.#attributeNameEnd)
    const name = this.#text
      .slice(from, Math.min(nameEnd, from + XML_LIMITS.nameLength))
      .toLowerCase()
    this.#skipSpace()
    if (this.#text[this.#at] !== '=') {
      // A stray slash or a name without a value: step over it, so that reading always goes forward.
      if (this.#at === from) this.#at += 1
      return
    }
    this.#at += 1
    this.#skipSpace()
    const written = this.#readValue()
    // Cut off inside the value: half a number is worse than none.
    if (this.#at >= this.#text.length) return
    const value = decodeReferences(written)
    if (name === 'xmlns') declared.set('', value)
    else if (name.startsWith('xmlns:')) declared.set(name.slice(6), value)
    else if (name !== '') attributes.set(localName(name), value.trim())
  }

  #readValue(): string {
    const quote = this.#text[this.#at]
    const from = this.#at
    if (quote !== '"' && quote !== "'")
      return this.#text.slice(from, clip(from, this.#scanTo(this.#bareValueEnd)))
    const end = this.#text.indexOf(quote, from + 1)
    this.#at = end < 0 ? this.#text.length : end + 1
    return this.#text.slice(from + 1, clip(from + 1, end < 0 ? this.#text.length : end))
  }

  /** Moves to the next match of a global expression, or to the end, and tells where that is. */
  #scanTo(expression: RegExp): number {
    expression.lastIndex = this.#at
    this.#at = expression.exec(this.#text)?.index ?? this.#text.length
    return this.#at
  }

  #skipSpace(): void {
    this.#scanTo(this.#notSpace)
  }

  #resolve(
    qualifiedName: string,
    attributes: Map<string, string>,
    declared: ReadonlyMap<string, string>,
  ): OpenElement {
    const colon = qualifiedName.indexOf(':')
    const prefix = colon < 0 ? '' : qualifiedName.slice(0, colon).toLowerCase()
    const declaring = this.#stack.findLast((element) => element.declared.has(prefix))
    const namespace = declared.get(prefix) ?? declaring?.declared.get(prefix) ?? ''
    return { ...openElement(qualifiedName, attributes, declared), namespace }
  }

  #addText(text: string): void {
    this.#top().text += text
  }

  #top(): OpenElement {
    return this.#stack[this.#stack.length - 1] ?? openElement('', new Map(), new Map())
  }

  #closeTop(): void {
    const closed = this.#stack.pop()
    if (closed === undefined) return
    const { name, namespace, attributes, children, text } = closed
    this.#top().children.push({ name, namespace, attributes, children, text: text.trim() })
  }
}

function clip(from: number, end: number): number {
  return Math.min(end, from + XML_LIMITS.textLength)
}

function openElement(
  qualifiedName: string,
  attributes: Map<string, string>,
  declared: ReadonlyMap<string, string>,
): OpenElement {
  const name = localName(qualifiedName)
  return { qualifiedName, name, namespace: '', attributes, declared, children: [], text: '' }
}

function localName(qualifiedName: string): string {
  return qualifiedName.slice(qualifiedName.lastIndexOf(':') + 1)
}
