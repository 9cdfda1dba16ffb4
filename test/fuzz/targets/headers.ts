import { configSchema } from '../../../config/config.ts'
import { infoKey } from '../../../gateway/calls/info-key.ts'
import { readHeaders } from '../../../gateway/sip/read-headers.ts'
import { agreeOnTimer, timerHeaders } from '../../../gateway/sip/session-timer.ts'
import type { SipRequest } from '../../../gateway/sip/sip-surface.ts'
import { readSipAddress } from '../../../gateway/sip-address.ts'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { messageText, parseHead } from '../../../gateway/sip-server/sip-message.ts'
import { targetHeaders, uriFor } from '../../../gateway/trunk/leg-headers.ts'
import { readReplaces, replacesIn } from '../../../gateway/trunk/replaces.ts'
import { dialledNumber } from '../../../gateway/trunk/trunk-facts.ts'
import { redirectedTo, withinRoute } from '../../../gateway/trunk/within-route.ts'
import { takeWhole } from '../../gateway/siprec/take-whole.ts'
import { sipMessages } from '../fixtures.ts'
import { type FuzzTarget, Unsound, utf8 } from '../target.ts'

const HOSTS = ['192.0.2.20', 'platform.example.com'] as const
const TRUNK = configSchema.parse({
  trunk: {
    routes: [
      {
        ...{ name: 'out', refer: 'handle' },
        targets: [{ uri: `sip:${HOSTS[0]}` }, { uri: `sip:${HOSTS[1]}:5062`, isTrusted: false }],
      },
    ],
  },
}).trunk
const HIDDEN = { own: 'gateway.example.com', names: new Set<string>(['sbc.example.com']) }
const TIMER = { expiresS: 1800, minS: 90 }
/** An address is looked at so far. */
const LONGEST = 2048

/** Whatever the headers of a call say, it stays within its route, and nothing in them begins a header of its own. */
export const headers: FuzzTarget = {
  name: 'headers',
  covers: [
    ...['gateway/sip-address', 'gateway/read-number', 'gateway/trunk/', 'gateway/sip/'],
    ...['gateway/siprec/', 'gateway/calls/info-key'],
  ],
  seeds: () => [
    ...sipMessages(),
    Buffer.from(
      [
        'REFER sip:a@b SIP/2.0',
        'Refer-To: <sip:+12025550147@192.0.2.20?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>',
        'Contact: <sip:1@192.0.2.20>;q=0.5, <sip:2@platform.example.com>',
        'From: "A" <sip:+12025550100;phone-context=x@sbc.example.com>;tag=1',
        'Diversion: <sip:2@sbc.example.com>;reason=unconditional',
        'X-Genesys-CallUUID: 1',
        'User-to-User: 00;encoding=hex',
        'Session-Expires: 90;refresher=uac',
        'Content-Type: application/dtmf-relay',
        '',
        'Signal=5',
      ].join('\r\n'),
    ),
    Buffer.from(`INVITE sip:a SIP/2.0\r\nFrom: tel:1${'😀'.repeat(LONGEST / 2)}\r\n\r\n`),
  ],
  words: [
    ...['\r\nFrom: ', '\r\nTo: ', '\r\nRefer-To: ', '\r\nReplaces: ', '\r\nContact: ', '\r\n '],
    ...['\r\nP-Asserted-Identity: ', '\r\nDiversion: ', '\r\nHistory-Info: ', '\r\nPrivacy: id'],
    ...['\r\nX-ISR-UCID: ', '\r\nUser-to-User: ', '\r\nSession-Expires: ', '\r\nMin-SE: '],
    ...['<sip:', '<tel:', '>', ';tag=', '@', '?Replaces=', '%3B', '%0d%0a', '"', '\\', ';q=', ','],
    ...['anonymous@anonymous.invalid', ';phone-context=+358', '+12025550147', '[2001:db8::1]'],
  ],
  maxBytes: 16_384,
  start: () => ({
    take: (input) => {
      const head = parseHead(utf8(input), DEFAULT_LIMITS)
      if (head.kind !== 'head') return
      const text = messageText(head.message)
      const read = readHeaders(text)
      const [, uri = ''] = (text.split('\r\n', 1)[0] ?? '').split(' ')
      takeWhole({ headers: read, requestUri: uri, contentType: '', body: '' })
      checkTrunk(requestOf(text, { uri, read }))
    },
  }),
}

/** As much of a request as its headers are read by. */
function requestOf(
  text: string,
  { uri, read }: { readonly uri: string; readonly read: ReturnType<typeof readHeaders> },
): SipRequest {
  const names = [...text.matchAll(/^(x-[\w-]+):/gim)].map(([, name = '']) => name)
  const get = (name: string) => {
    const values = read(name)
    return values.length === 0 ? undefined : values.join(', ')
  }
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  const extensions = Object.fromEntries(names.map((name) => [name, get(name)]))
  return { uri, body, get, headers: extensions } as unknown as SipRequest
}

function checkTrunk(request: SipRequest): void {
  const timer = agreeOnTimer(request, TIMER)
  infoKey(request)
  const replaces = replacesIn(request.get('Refer-To') ?? '')
  readReplaces(replaces ?? request.get('Replaces') ?? '')
  for (const route of TRUNK.routes) {
    for (const target of route.targets) {
      const place = { route, target }
      const at = withinRoute(request.get('Refer-To') ?? '', place)
      const leads = [...(at ? [at] : []), ...redirectedTo(request.get('Contact') ?? '', place)]
      const uris = [
        ...leads.map(({ uri }) => uri),
        uriFor(target, dialledNumber(request.uri, 'FI')),
      ]
      for (const uri of uris) {
        const { host } = readSipAddress(uri)
        const isShort = uri.length < LONGEST
        if (isShort && !HOSTS.some((one) => one === host)) throw new Unsound(`a call to ${uri}`)
      }
      const options = { target, uri: target.uri, hopsLeft: 1, timer: TIMER, hosts: HIDDEN }
      const sent = { ...targetHeaders(request, { ...options, replaces }), ...timerHeaders(timer) }
      // What is cut out of a header of one line cannot hold a second.
      const written = JSON.stringify(Object.values({ ...sent, Replaces: '' }))
      if (/\\r|\\n/.test(written)) throw new Unsound('a header within a header')
    }
  }
}
