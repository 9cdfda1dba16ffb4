import type { MediaAddress } from '../../recorder/recording-plan.ts'

/** What our caller reads of a response. It talks to its own recorder, so it reads no more than it needs. */
export interface SipAnswer {
  readonly status: number
  readonly reason: string
  readonly callId: string
  readonly cseqMethod: string
  readonly toTag: string
  /** URI of the Contact; null where there is none. */
  readonly remoteTarget: string | null
  readonly media: readonly MediaAddress[]
}

/** Null where the datagram is no SIP response. */
export function readSipAnswer(text: string): SipAnswer | null {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const [statusLine = '', ...lines] = head.split('\r\n')
  const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(statusLine)
  if (!status) return null
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0)
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return {
    status: Number(status[1]),
    reason: status[2] ?? '',
    callId: headers.get('call-id') ?? '',
    cseqMethod: headers.get('cseq')?.split(' ')[1] ?? '',
    toTag: /;tag=([^;>\s]+)/.exec(headers.get('to') ?? '')?.[1] ?? '',
    remoteTarget: /<([^>]+)>/.exec(headers.get('contact') ?? '')?.[1] ?? null,
    media: readMedia(body),
  }
}

/** Where a description's audio is taken, a place for each of its m-lines. */
export function readMedia(sdp: string): MediaAddress[] {
  const media: { address: string; port: number }[] = []
  let sessionAddress = ''
  for (const line of sdp.split('\r\n')) {
    const address = /^c=IN IP[46] (\S+)/.exec(line)?.[1]
    const last = media.at(-1)
    if (address !== undefined && last === undefined) sessionAddress = address
    else if (address !== undefined && last !== undefined) last.address = address
    const port = /^m=audio (\d+) /.exec(line)?.[1]
    if (port !== undefined) media.push({ address: sessionAddress, port: Number(port) })
  }
  return media
}
