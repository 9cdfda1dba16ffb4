export interface RequestParts {
  readonly method?: string
  readonly uri?: string
  readonly transport?: string
  /** Port in Via and Contact. */
  readonly port?: number
  readonly branch?: string
  readonly callId?: string
  readonly fromTag?: string
  readonly toTag?: string
  readonly sequence?: number
  /** Further header lines. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** A request as a platform on loopback would send it. */
export function sipRequest(parts: RequestParts = {}): string {
  const {
    method = 'INVITE',
    uri = 'sip:recorder@127.0.0.1',
    transport = 'UDP',
    port = 5060,
    branch = `z9hG4bK-${method}-1`,
    callId = 'call-1@127.0.0.1',
    fromTag = 'from-1',
    toTag,
    sequence = 1,
    headers = [],
    body = '',
  } = parts
  const hasContact = method === 'INVITE' || method === 'SUBSCRIBE'
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport} 127.0.0.1:${port};branch=${branch}`,
    'Max-Forwards: 70',
    `From: <sip:+12025550100@127.0.0.1>;tag=${fromTag}`,
    `To: <sip:+12025550111@127.0.0.1>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${sequence} ${method}`,
    ...(hasContact ? [`Contact: <sip:platform@127.0.0.1:${port}>`] : []),
    ...headers,
    ...(body !== '' && !headers.some((line) => /^content-type/i.test(line))
      ? ['Content-Type: application/sdp']
      : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

/** A response to a request that this server sent. */
export function sipResponse(
  request: string,
  response: {
    readonly status: number
    readonly reason: string
    readonly toTag?: string
    readonly headers?: readonly string[]
    readonly body?: string
  },
): string {
  const { status, reason, toTag, headers = [], body = '' } = response
  const lines = request.split('\r\n\r\n', 1)[0]?.split('\r\n') ?? []
  const kept = lines.filter((line) => /^(via|record-route|from|call-id|cseq):/i.test(line))
  const to = lines.find((line) => /^to:/i.test(line)) ?? ''
  const tagged = toTag === undefined || /;tag=/.test(to) ? to : `${to};tag=${toTag}`
  return [
    `SIP/2.0 ${status} ${reason}`,
    ...kept,
    tagged,
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

/** Value of the first header of that name. */
export function headerOf(text: string, name: string): string | undefined {
  const head = text.split('\r\n\r\n', 1)[0] ?? ''
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(head)?.[1]?.trim()
}

export function tagIn(value: string | undefined): string {
  return /;tag=([^;]+)/.exec(value ?? '')?.[1] ?? ''
}

export function bodyOf(text: string): string {
  const at = text.indexOf('\r\n\r\n')
  return at < 0 ? '' : text.slice(at + 4)
}

export const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 30000 RTP/AVP 0',
  'a=sendrecv',
  '',
].join('\r\n')
