import type { SdpMedia } from '../../gateway/siprec/sdp-offer.ts'

const BOUNDARY = 'tallenne-replay'

export const SESSION_BODY_TYPE = `multipart/mixed;boundary=${BOUNDARY}`

/** Whom a session is about, as its metadata names them. */
export interface SessionParties {
  /** User parts. */
  readonly caller: string
  readonly called: string
}

/**
 * The body of a recording session's INVITE around a call that was none (RFC 7866 §8.1, RFC 7865): an m-line for each
 * party, the caller's first, and complete metadata. Addresses and ports are those to be replaced by `rewriteBody`.
 */
export function writeSessionBody(
  media: readonly SdpMedia[],
  { caller, called }: SessionParties,
): string {
  const metadata = media.length > 2 ? [] : writeMetadata(caller, called, media.length)
  return [
    ...[`--${BOUNDARY}`, 'Content-Type: application/sdp', ''],
    ...['v=0', 'o=replay 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
    ...media.flatMap(writeLine),
    `--${BOUNDARY}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    ...metadata,
    `--${BOUNDARY}--`,
    '',
  ].join('\r\n')
}

function writeLine({ protocol, formats, crypto }: SdpMedia, index: number): string[] {
  const maps = formats.flatMap(({ payloadType, encoding, clockRate, channels, fmtp }) => [
    ...(encoding === ''
      ? []
      : [`a=rtpmap:${payloadType} ${encoding}/${clockRate}${channels > 1 ? `/${channels}` : ''}`]),
    ...(fmtp === null ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
  ])
  return [
    `m=audio 9 ${protocol} ${formats.map(({ payloadType }) => payloadType).join(' ')}`,
    ...maps,
    ...crypto.map((line) => `a=crypto:${line}`),
    'a=sendonly',
    `a=label:${index + 1}`,
  ]
}

function writeMetadata(caller: string, called: string, streams: number): string[] {
  const parties = [caller, called].map((user, index) => {
    const id = `p${index + 1}`
    const [sent, received] = index === 0 ? ['t1', 't2'] : ['t2', 't1']
    const send = index < streams ? `<send>${sent}</send>` : ''
    const receive = streams > 1 || index === 1 ? `<recv>${received}</recv>` : ''
    return (
      `<participant participant_id="${id}"><nameID aor="${escapeXml(aorOf(user))}"/></participant>` +
      `<participantstreamassoc participant_id="${id}">${send}${receive}</participantstreamassoc>`
    )
  })
  const lines = Array.from(
    { length: streams },
    (_, index) =>
      `<stream stream_id="t${index + 1}" session_id="s1"><label>${index + 1}</label></stream>`,
  )
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>',
    '<session session_id="s1"/>',
    ...parties,
    ...lines,
    '</recording>',
  ]
}

function aorOf(user: string): string {
  return user === '' ? 'sip:anonymous@anonymous.invalid' : `sip:${user}@replay.invalid`
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
