import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { SRTP_SUITES } from '../../recorder/srtp/srtp-suite.ts'
import type { ContactView } from '../../storage/model.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { startMariadb } from '../mariadb.ts'
import { decodeOpus } from '../recorder/opus-file.ts'
import { toneShare } from '../recorder/tones.ts'
import { contactOf } from './contact-of.ts'
import { makeGateway } from './gateway-process.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { SipPeer } from './sip-peer.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

const LONG = 'AES_CM_128_HMAC_SHA1_80'
const SHORT = 'AES_CM_128_HMAC_SHA1_32'
const PORTS = { caller: 39_600, agent: 39_604 } as const

interface Leg {
  readonly suite: typeof LONG | typeof SHORT
  readonly key: string
  readonly port: number
  readonly label: string
}

function legOf(party: keyof typeof PORTS, suite: Leg['suite']): Leg {
  const { keyBytes, saltBytes } = SRTP_SUITES[suite]
  const key = randomBytes(keyBytes + saltBytes).toString('base64')
  return { suite, key, port: PORTS[party], label: party === 'caller' ? '1' : '2' }
}

/** Each leg beside a suite that nobody has, with a lifetime as clients write it. */
function secureOffer(legs: readonly Leg[], version = 1): string {
  const lines = legs.map(({ suite, key, port, label }) => ({
    port,
    label,
    protocol: 'RTP/SAVP',
    attributes: [
      `a=crypto:1 F8_128_HMAC_SHA1_80 inline:${key}`,
      `a=crypto:2 ${suite} inline:${key}|2^31`,
    ],
  }))
  return offer(lines, version)
}

/** The system's ffmpeg says a tone, encrypts it by itself, and ends after so long. */
function say(t: Test, hertz: number, leg: Leg & { readonly to: number; readonly seconds: number }) {
  const { suite, key, port, to, seconds } = leg
  const source = `sine=frequency=${hertz}:sample_rate=8000:duration=${seconds}`
  // 20 ms of audio, the header and the tag.
  const target = `srtp://127.0.0.1:${to}?localrtpport=${port}&localrtcpport=${port + 1}&pkt_size=186`
  const child: ChildProcess = spawn(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', source],
      ...['-af', 'volume=4', '-c:a', 'pcm_mulaw', '-f', 'rtp'],
      ...['-srtp_out_suite', suite, '-srtp_out_params', key, target],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  t.teardown(() => child.kill('SIGKILL'))
  return once(child, 'close')
}

t.test(
  'two legs that ffmpeg encrypts are heard, also by other keys after a re-INVITE',
  async (t) => {
    const gateway = await makeGateway(mariadb.settings)
    t.teardown(() => gateway.remove())
    const process = await gateway.start()
    const peer = await SipPeer.open(gateway.sip)
    t.teardown(() => peer.close())
    const legs = [legOf('caller', LONG), legOf('agent', SHORT)] as const
    const call = peer.call({
      callId: 'secure',
      contentType: MULTIPART,
      body: bothBodies(secureOffer(legs), metadata()),
    })
    const answer = await call.invite()
    t.match(answer.body, /^m=audio \d+ RTP\/SAVP 0\r\n(?:a=.*\r\n)*a=crypto:2 \S+80 inline:/m)
    const ports = answeredLines(answer.body).map(({ port }) => port)
    const talk = (legs: readonly Leg[], hertz: readonly [number, number]) =>
      Promise.all(
        legs.map((leg, at) => say(t, hertz[at] ?? 0, { ...leg, to: ports[at] ?? 0, seconds: 2 })),
      )
    t.same(await talk(legs, [440, 1000]), [
      [0, null],
      [0, null],
    ])
    const renewed = [legOf('caller', SHORT), legOf('agent', LONG)] as const
    const again = await call.reinvite({ body: secureOffer(renewed, 2) })
    t.same(
      answeredLines(again.body).map(({ port }) => port),
      ports,
    )
    await talk(renewed, [700, 1500])
    await call.bye()
    const contact = await contactOf(
      mariadb.pool(),
      'secure',
      ({ recordings }: ContactView) => recordings[0]?.durationMs != null,
    )
    const [recording] = contact.recordings
    const file = join(gateway.dataPath, 'recordings', storeFileOf(recording?.id ?? ''))
    const { caller, agent } = decodeOpus(readFileSync(file))
    t.match(recording, { state: 'complete', reasons: [], lostMs: 0 })
    for (const [samples, tones] of [
      [caller, [440, 700]],
      [agent, [1000, 1500]],
    ] as const) {
      t.ok(heardMs(samples, tones[0]) > 1500, `${heardMs(samples, tones[0])} ms of the first key`)
      t.ok(heardMs(samples, tones[1]) > 1500, `${heardMs(samples, tones[1])} ms of the second`)
      t.equal(heardMs(samples, tones[0] === 440 ? 1000 : 440), 0, 'and nothing of the other party')
    }
    t.notMatch(process.log(), legs[0].key)
    await process.end('SIGTERM')
  },
)

/** How much of it is the tone and little else. */
function heardMs(samples: Int16Array, hertz: number): number {
  let heard = 0
  for (let at = 0; at + 4800 <= samples.length; at += 4800) {
    if (toneShare(samples.subarray(at, at + 4800), hertz, 48_000) > 0.9) heard += 100
  }
  return heard
}
