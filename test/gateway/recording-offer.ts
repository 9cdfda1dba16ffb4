export interface OfferedLine {
  readonly port: number
  readonly label?: string
  readonly direction?: 'sendonly' | 'inactive' | 'sendrecv'
  readonly payloadTypes?: string
  readonly media?: string
  readonly protocol?: string
  /** Lines before the direction. */
  readonly attributes?: readonly string[]
}

/** A recording client's session description on 127.0.0.1. */
export function offer(lines: readonly OfferedLine[], version = 1): string {
  return [
    'v=0',
    `o=client 100 ${version} IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...lines.flatMap((line) => [
      `m=${line.media ?? 'audio'} ${line.port} ${line.protocol ?? 'RTP/AVP'} ${line.payloadTypes ?? '0'}`,
      ...(line.attributes ?? []),
      `a=${line.direction ?? 'sendonly'}`,
      ...(line.label === undefined ? [] : [`a=label:${line.label}`]),
    ]),
    '',
  ].join('\r\n')
}

export interface OfferedParties {
  readonly caller?: string
  readonly agent?: string
}

/** RFC 7865 metadata of a caller on label 1 and an agent on label 2. */
export function metadata({ caller = '+12025550147', agent = '2000' }: OfferedParties = {}): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>',
    '<session session_id="s1"/>',
    `<participant participant_id="p1"><nameID aor="sip:${caller}@198.51.100.7"/></participant>`,
    `<participant participant_id="p2"><nameID aor="sip:${agent}@198.51.100.8"/></participant>`,
    '<stream stream_id="t1" session_id="s1"><label>1</label></stream>',
    '<stream stream_id="t2" session_id="s1"><label>2</label></stream>',
    '<participantstreamassoc participant_id="p1"><send>t1</send><recv>t2</recv></participantstreamassoc>',
    '<participantstreamassoc participant_id="p2"><send>t2</send><recv>t1</recv></participantstreamassoc>',
    '</recording>',
  ].join('\r\n')
}

export const MULTIPART = 'multipart/mixed;boundary=part'

/** Both bodies in one, to be sent as `MULTIPART`. */
export function bothBodies(sdp: string, xml: string): string {
  return [
    '--part',
    'Content-Type: application/sdp',
    '',
    sdp,
    '--part',
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    xml,
    '--part--',
    '',
  ].join('\r\n')
}

/** The ports and directions of an answer's m-lines, in their order. */
export function answeredLines(
  sdp: string,
): readonly { readonly media: string; readonly port: number; readonly direction: string }[] {
  return sdp
    .split(/\r\n(?=m=)/)
    .slice(1)
    .map((section) => {
      const [, media = '', port = '0'] = /^m=(\S+) (\d+)/.exec(section) ?? []
      const direction = /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(section)?.[1] ?? 'sendrecv'
      return { media, port: Number(port), direction }
    })
}
