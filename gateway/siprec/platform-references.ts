import type { Evidence } from './identification-evidence.ts'
import { findBy, type Source } from './identification-sources.ts'

/** What a reference names. References of one kind are equal exactly where they name the same. */
export type ReferenceKind =
  /** Avaya's Universal Call ID, 16 hexadecimal digits in capitals. */
  | 'ucid'
  /** 32 hexadecimal digits. */
  | 'cisco-guid'
  /** A half of a Session-ID (RFC 7989), 32 hexadecimal digits. */
  | 'session-id'
  /** The SIP Call-ID of the call that is recorded. */
  | 'call-id'
  /** A leg of a call in a cluster, `CLUSTER/REFCI`. */
  | 'cucm-call'
  | 'broadworks-tracking-id'
  | 'genesys-uuid'
  | 'genesys-conversation'
  /** 16 hexadecimal digits. */
  | 'audiocodes-session'
  | 'ribbon-gcid'
  | 'call-sid'
  /** UUIDs of the metadata's objects, which several clients may share (RFC 7865 §6.10), 32 hexadecimal digits. */
  | 'rfc7865-session'
  | 'rfc7865-group'
  | 'rfc7865-participant'
  /** Of a source that a configuration names. */
  | 'configured'

/** What the platform calls a call, or a part of one. */
export interface PlatformReference {
  readonly kind: ReferenceKind
  /** In the kind's normal form. */
  readonly value: string
  readonly source: string
  readonly isGuess: boolean
}

export interface ReferenceSource extends Source {
  readonly kind: ReferenceKind
}

function told(name: string, kind: ReferenceKind, ...at: Source['at']): ReferenceSource {
  return { name, kind, isGuess: false, at }
}

function guessed(name: string, kind: ReferenceKind, ...at: Source['at']): ReferenceSource {
  return { name, kind, isGuess: true, at }
}

/** Sources of the platform's reference, in their default order: the first that gives one names the contact. */
export const REFERENCE_SOURCES: readonly ReferenceSource[] = [
  told('genesys-conversation', 'genesys-conversation', {
    in: 'header-text',
    name: 'X-GenesysConversationID',
  }),
  told(
    'genesys-call-uuid',
    'genesys-uuid',
    { in: 'header-text', name: 'X-Genesys-CallUUID' },
    { in: 'field', path: 'GenesysUUID' },
  ),
  told(
    'broadworks-tracking-id',
    'broadworks-tracking-id',
    { in: 'field', path: 'broadWorksRecordingMetadata/extTrackingID' },
    { in: 'header-text', name: 'X-BroadWorks-Correlation-Info' },
  ),
  told(
    'oracle-ucid',
    'ucid',
    { in: 'header-text', name: 'X-ISR-UCID' },
    { in: 'field', path: 'ucid' },
  ),
  told('audiocodes-ucid', 'ucid', { in: 'field', path: 'AvayaUCID' }),
  told('user-to-user', 'ucid', { in: 'header-text', name: 'User-to-User' }),
  told('avaya-session', 'ucid', { in: 'metadata-id', of: 'session' }),
  told('ribbon-gcid', 'ribbon-gcid', { in: 'field', path: 'callData/gcid' }),
  told('jambonz-call-sid', 'call-sid', {
    in: 'field',
    path: 'callsid',
    namespace: 'jambonz.org',
  }),
  told('twilio-call-sid', 'call-sid', { in: 'header-text', name: 'X-Twilio-CallSid' }),
  told('cucm-near-end', 'cucm-call', {
    in: 'header-parameters',
    name: 'From',
    parameters: ['x-nearendclusterid', 'x-refci'],
  }),
  told('cucm-far-end', 'cucm-call', {
    in: 'header-parameters',
    name: 'From',
    parameters: ['x-farendclusterid', 'x-farendrefci'],
  }),
  told('cisco-guid', 'cisco-guid', { in: 'header-text', name: 'Cisco-Guid' }),
  told(
    'audiocodes-session',
    'audiocodes-session',
    { in: 'header-text', name: 'AC-Session-ID' },
    { in: 'metadata-id', of: 'session' },
  ),
  told('sip-session-id', 'session-id', { in: 'metadata-id', of: 'sip-session' }),
  told(
    'recorded-call-id',
    'call-id',
    { in: 'field', path: 'callData/callid' },
    { in: 'header-text', name: 'X-AUDC-CALL-ID' },
    { in: 'metadata-id', of: 'sip-session' },
  ),
  told('metadata-group', 'rfc7865-group', { in: 'metadata-id', of: 'group' }),
  told('metadata-session', 'rfc7865-session', { in: 'metadata-id', of: 'session' }),
  // Of the recording session, which a client may have made out of the call's.
  guessed('session-id', 'session-id', { in: 'header-text', name: 'Session-ID' }),
  guessed('metadata-participant', 'rfc7865-participant', {
    in: 'metadata-id',
    of: 'participant',
  }),
]

/** No call has more; it bounds the work for a hostile document. */
const REFERENCES = 32

/** All references that the sources give, in the sources' order, each once. Never throws. */
export function findReferences(
  sources: readonly ReferenceSource[],
  evidence: Evidence,
): readonly PlatformReference[] {
  const references = new Map<string, PlatformReference>()
  for (const source of sources) {
    for (const { address } of findBy(source, evidence)) {
      for (const value of NORMAL_FORMS[source.kind](address.trim().slice(0, 1024))) {
        const key = `${source.kind}\n${value}`
        if (references.has(key) || references.size >= REFERENCES) continue
        const { kind, name, isGuess } = source
        references.set(key, { kind, value, source: name, isGuess })
      }
    }
  }
  return [...references.values()]
}

/** All of both, the earlier first. */
export function mergeReferences(
  known: readonly PlatformReference[],
  told: readonly PlatformReference[],
): readonly PlatformReference[] {
  const isNew = ({ kind, value }: PlatformReference) =>
    !known.some((reference) => reference.kind === kind && reference.value === value)
  return [...known, ...told.filter(isNew)].slice(0, REFERENCES)
}

/** The one that names the call as a whole; participants take part in others as well. */
export function callReference(references: readonly PlatformReference[]): PlatformReference | null {
  return references.find(({ kind }) => kind !== 'rfc7865-participant') ?? null
}

type NormalForm = (text: string) => readonly string[]

const NORMAL_FORMS: Readonly<Record<ReferenceKind, NormalForm>> = {
  ucid,
  'cisco-guid': ciscoGuid,
  'session-id': sessionIds,
  'call-id': callId,
  'cucm-call': (text) => word(text, 255),
  'broadworks-tracking-id': (text) => word(text.toLowerCase(), 255),
  'genesys-uuid': (text) => word(text.toUpperCase(), 64),
  'genesys-conversation': (text) => word(text.toLowerCase(), 64),
  'audiocodes-session': audioCodesSession,
  'ribbon-gcid': (text) => word(text, 255),
  'call-sid': (text) => word(text, 255),
  'rfc7865-session': uuid,
  'rfc7865-group': uuid,
  'rfc7865-participant': uuid,
  configured: (text) => word(text, 255),
}

/** A single word; what stands in several, or is too long, is no id. */
function word(text: string, maxLength: number): readonly string[] {
  return text.length <= maxLength && /^[!-~]+$/.test(text) ? [text] : []
}

/**
 * Node, sequence and time of two, two and four bytes: as 16 hexadecimal digits, perhaps after the discriminator `00`
 * and the type and length `FA08`, or as 20 decimal digits of five, five and ten.
 */
function ucid(text: string): readonly string[] {
  const value = (text.split(';', 1)[0] ?? '').trim()
  const hexadecimal = /^(?:0[0-9])?(?:FA08)([0-9A-F]{16})/i.exec(value)?.[1]
  if (hexadecimal !== undefined) return [hexadecimal.toUpperCase()]
  const [, node = '', sequence = '', time = ''] = /^(\d{5})(\d{5})(\d{10})$/.exec(value) ?? []
  if (node !== '') {
    const parts = [hex(node, 4), hex(sequence, 4), hex(time, 8)]
    return parts.every((part) => part !== null) ? [parts.join('').toUpperCase()] : []
  }
  return /^(?:00)?[0-9A-F]{16}$/i.test(value) ? [value.slice(-16).toUpperCase()] : []
}

/** Four decimal words of 32 bits, or 32 hexadecimal digits. */
function ciscoGuid(text: string): readonly string[] {
  if (/^[0-9a-f]{32}$/i.test(text)) return [text.toLowerCase()]
  const words = text.split('-').map((part) => (/^\d{1,10}$/.test(part) ? hex(part, 8) : null))
  return words.length === 4 && words.every((part) => part !== null) ? [words.join('')] : []
}

function hex(decimal: string, digits: number): string | null {
  const written = Number(decimal).toString(16).padStart(digits, '0')
  return written.length > digits ? null : written
}

const SESSION_ID = /^([0-9a-f]{32})(?:;remote=([0-9a-f]{32}))?/i

/** Both ends' halves; zeros stand for an end that is not known yet (RFC 7989 §5). */
function sessionIds(text: string): readonly string[] {
  const [, local = '', remote = ''] = SESSION_ID.exec(text.replace(/\s+/g, '')) ?? []
  return [local, remote].filter((half) => /[^0]/.test(half)).map((half) => half.toLowerCase())
}

/** Some clients write the Call-ID where a Session-ID belongs. */
function callId(text: string): readonly string[] {
  return SESSION_ID.test(text.replace(/\s+/g, '')) ? [] : word(text, 255)
}

function audioCodesSession(text: string): readonly string[] {
  const digits = /^(?:(?:0000-){4})?([0-9a-f]{16})$/i.exec(text)?.[1]
  return digits === undefined ? [] : [digits.toLowerCase()]
}

/** A UUID in any of its spellings; whatever else clients use as an id is theirs alone. */
function uuid(text: string): readonly string[] {
  const digits = /^[A-Za-z0-9+/]{22}==$/.test(text)
    ? Buffer.from(text, 'base64').toString('hex')
    : text
        .replace(/^urn:uuid:/i, '')
        .replace(/-/g, '')
        .toLowerCase()
  // Version and variant (RFC 9562 §4) tell it from other sixteen bytes.
  return /^[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}$/.test(digits) ? [digits] : []
}
