import type { MetadataName } from './recording-metadata.ts'
import type { XmlElement } from './xml-element.ts'

/** How the dialects spell what the reader looks for, in small letters: RFC 7865 first, its drafts after it. */
export const ID_NAMES = {
  recording: ['recording_id', 'id'],
  group: ['group_id', 'id'],
  session: ['session_id', 'id'],
  participant: ['participant_id', 'id'],
  stream: ['stream_id', 'id'],
  /** The participant that an association names. */
  associated: ['participant_id', 'participant'],
} as const

export const NAMES = {
  dataMode: ['datamode'],
  session: ['session_id', 'session'],
  group: ['group-ref', 'group'],
  label: ['label', 'media_label'],
  mode: ['mode'],
  joined: ['associate-time'],
  left: ['disassociate-time'],
  started: ['start-time', 'associate-time'],
  stopped: ['stop-time'],
} as const

/** Children that the standard or a draft of it defines; all others are vendor fields. */
export const KNOWN_CHILDREN: ReadonlySet<string> = new Set([
  ...Object.values(ID_NAMES).flat(),
  ...Object.values(NAMES).flat(),
  ...['sipsessionid', 'reason', 'nameid', 'name', 'aor', 'send', 'recv', 'param'],
  ...['initiator', 'requestor', 'type', 'sessionrecordingassoc'],
])

/** Longest id, name or address that is kept, in characters. */
const TEXT_LENGTH = 1024

/** The id among the attributes, else among the children; empty where there is none. */
export function idOf(element: XmlElement, names: readonly string[]): string {
  return textOf(element, names) ?? ''
}

/** The first of the named attributes or children that says something. */
export function textOf(element: XmlElement, names: readonly string[]): string | null {
  for (const name of names) {
    const attribute = element.attributes.get(name)
    if (attribute !== undefined && attribute !== '') return clip(attribute)
    const child = element.children.find((candidate) => candidate.name.toLowerCase() === name)
    if (child !== undefined && child.text !== '') return clip(child.text)
  }
  return null
}

/** The texts of all children of a name. */
export function textsOf(element: XmlElement, name: string): string[] {
  return element.children
    .filter((child) => child.name.toLowerCase() === name && child.text !== '')
    .map((child) => clip(child.text))
}

/** Ids of the streams in `<send>` or `<recv>`, which hold them as text, as `<id>` or as an attribute. */
export function streamReferences(element: XmlElement, name: 'send' | 'recv'): string[] {
  return element.children
    .filter((child) => child.name.toLowerCase() === name)
    .map((child) => textOf(child, ID_NAMES.stream) ?? clip(child.text))
}

/** A participant's addresses: `<nameID aor>`, `<nameID><aor>`, the text of either, or an attribute of its own. */
export function readNames(element: XmlElement): MetadataName[] {
  const names: MetadataName[] = []
  for (const child of element.children) {
    const key = child.name.toLowerCase()
    if (key === 'aor') names.push({ aor: clip(child.text), name: '' })
    if (key !== 'nameid') continue
    const aor = textOf(child, ['aor']) ?? clip(child.text)
    names.push({ aor, name: withoutQuotes(textOf(child, ['name']) ?? '') })
  }
  const attribute = element.attributes.get('aor')
  if (attribute !== undefined) names.push({ aor: clip(attribute), name: '' })
  return names
}

function clip(text: string): string {
  return text.slice(0, TEXT_LENGTH)
}

/** Some clients put quotation marks into the name itself. */
function withoutQuotes(name: string): string {
  return name.length > 1 && name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1) : name
}
