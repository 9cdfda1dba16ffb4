import { TallenneError } from '../../base/tallenne-error.ts'
import { type MediaCapabilities, usableFormats } from '../siprec/media-capabilities.ts'
import { readSdpOffer, type SdpFormat, type SdpMedia } from '../siprec/sdp-offer.ts'

/** What one party says of its media, as far as a call that passes through needs it. */
export interface PartyDescription {
  /** All m-lines in order, so that an answer can mirror them. */
  readonly lines: readonly SdpMedia[]
  /** The one that carries the call: the first audio line that is not refused. */
  readonly audio: SdpMedia
  /** Attributes of that line that the other party is to see as they are. */
  readonly attributes: readonly string[]
}

/** RTP that can be passed on. What needs a handshake with its peer (DTLS) cannot. */
const PASSED_PROTOCOLS = ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF']

/**
 * Attributes that mean the same on the other side of the call. Everything that names addresses (`rtcp`, `candidate`,
 * ICE) or parts of the session that ends here (`mid`, `ssrc`, `rtcp-mux`, `crypto`) stays behind.
 */
const PASSED_ATTRIBUTES = /^a=(?:maxptime:|silenceSupp:)/i

/**
 * Reads a party's offer or answer. Throws a `TallenneError` with the code given where it has no audio that could
 * pass: unreadable, refused, or a protocol that ends at its peer.
 */
export function readPartyDescription(sdp: string, code: string): PartyDescription {
  const reading = readSdpOffer(sdp)
  if (reading.kind === 'unreadable') throw new TallenneError(code, reading.problem)
  const lines = reading.offer.media
  const audio = lines.find(
    ({ kind, port, protocol, formats }) =>
      kind === 'audio' &&
      port !== 0 &&
      formats.length > 0 &&
      PASSED_PROTOCOLS.includes(protocol.toUpperCase()),
  )
  if (audio === undefined) {
    const found = lines.map(({ kind, port, protocol }) => `${kind} ${port} ${protocol}`).join(', ')
    throw new TallenneError(code, `no audio that can be passed on among: ${found}`)
  }
  return { lines, audio, attributes: attributesOf(sdp, audio) }
}

/** Which formats of a description go on to the other party. */
export interface PassedFormats {
  readonly formats: readonly SdpFormat[]
  readonly isRecordable: boolean
}

/**
 * What can be recorded, with telephone-event and comfort noise, where the call is to be recorded and there is such;
 * else all formats.
 */
export function choosePassedFormats(
  { audio }: PartyDescription,
  { capabilities, isRecorded }: { capabilities: MediaCapabilities; isRecorded: boolean },
): PassedFormats {
  const usable = usableFormats(audio.formats, capabilities)
  const isRecordable = usable.formats.length > 0
  return { formats: isRecorded && isRecordable ? usable.kept : audio.formats, isRecordable }
}

/** Whether the party says that it may send. A hold by an unspecified address stops only what is sent to it. */
export function maySend({ audio }: PartyDescription): boolean {
  return audio.direction === 'sendrecv' || audio.direction === 'sendonly'
}

/** Whether the party takes what is sent to it. */
export function mayReceive({ audio }: PartyDescription): boolean {
  return !audio.isHeld && (audio.direction === 'sendrecv' || audio.direction === 'recvonly')
}

function attributesOf(sdp: string, audio: SdpMedia): readonly string[] {
  const section = sdp.split(/^m=/m)[audio.index + 1] ?? ''
  return section
    .split(/\r\n|\r|\n/)
    .slice(1)
    .map((line) => line.replace(/[^\x20-\x7e]/g, ' ').trim())
    .filter((line) => PASSED_ATTRIBUTES.test(line))
    .slice(0, 16)
    .map((line) => line.slice(0, 512))
}
