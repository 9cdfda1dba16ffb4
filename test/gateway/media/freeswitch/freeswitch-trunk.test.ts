import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import type { TrunkMedia } from '../../../../gateway/media/trunk-media.ts'
import { until } from '../../../until.ts'
import { RtpSender } from '../../rtp-sender.ts'
import { srtpProtector } from '../../srtp.ts'
import { talkOn } from '../../talk-on.ts'
import { partyOffer, portOf, realServers, startMediaNode, tonesOf } from './media-node.ts'

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
const CRYPTO = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`

type MediaNode = Awaited<ReturnType<typeof startMediaNode>>

/** A call that is up between its parties; both speak. */
async function talk(t: Test, node: MediaNode, media: TrunkMedia) {
  const [caller, platform] = [await RtpSender.open(440), await RtpSender.open(1000)]
  t.teardown(() => Promise.all([caller.close(), platform.close()]))
  const offer = await media.offerForPlatform()
  const toCaller = await media.answerFromPlatform(partyOffer(platform.port))
  await media.answered(node.clock.epochMs())
  caller.start(portOf(toCaller))
  platform.start(portOf(offer))
  return { offer, toCaller }
}

/** What is the same on the stand-in and on the real servers. */
function common(name: string, real: boolean, skip: string | false) {
  t.test(
    `a call through FreeSWITCH is recorded on both channels (${name})`,
    { skip },
    async (t) => {
      const node = await startMediaNode(t, { real })
      const media = await node.plane.open(node.request())
      t.same(media.status, { kind: 'recording' })
      t.equal(node.pool.servers[0]?.endpoints, 1)
      const { offer, toCaller } = await talk(t, node, media)
      t.equal(node.pool.servers[0]?.endpoints, 2)
      t.match(offer, /^m=audio \d+ RTP\/AVP /m)
      t.notMatch(offer, /SAVP|crypto/)
      t.match(toCaller, /^m=audio \d+ RTP\/AVP 0 101\b/m)
      await talkOn(1500)
      const outcome = await media.close(node.clock.epochMs(), [])
      t.match(outcome, { verdict: 'complete', reasons: [], lostMs: 0 })
      t.ok((outcome?.durationMs ?? 0) >= 1400, `${outcome?.durationMs} ms`)
      t.equal(node.pool.servers[0]?.endpoints, 0)
      t.same(node.failures, [])
    },
  )

  t.test(`a call that is held goes on being recorded (${name})`, { skip }, async (t) => {
    const node = await startMediaNode(t, { real })
    const media = await node.plane.open(node.request())
    await talk(t, node, media)
    const held = `${partyOffer(49_000)}a=sendonly\r\n`
    const toPlatform = await media.reofferFrom('caller', held)
    t.match(toPlatform, /a=sendonly/)
    t.match(
      await media.reanswerTo('caller', `${partyOffer(49_002)}a=recvonly\r\n`),
      /^m=audio \d+/m,
    )
    await talkOn(300)
    t.match(await media.reofferFrom('caller', partyOffer(49_000)), /a=sendrecv/)
    await media.reanswerTo('caller', partyOffer(49_002))
    await talkOn(700)
    const outcome = await media.close(node.clock.epochMs(), [])
    t.equal(outcome?.verdict, 'complete')
    t.equal(node.pool.servers[0]?.endpoints, 0)
  })

  t.test(`a caller's secure offer is answered with keys (${name})`, { skip }, async (t) => {
    const node = await startMediaNode(t, { real })
    const secure = `${partyOffer(49_000).replace('RTP/AVP', 'RTP/SAVP')}${CRYPTO}\r\n`
    const media = await node.plane.open({ ...node.request(), callerOffer: secure })
    const caller = await RtpSender.open(440, srtpProtector(KEY))
    const platform = await RtpSender.open(1000)
    t.teardown(() => Promise.all([caller.close(), platform.close()]))
    const toPlatform = await media.offerForPlatform()
    t.notMatch(toPlatform, /SAVP|crypto/, 'the platform gets plain RTP')
    const toCaller = await media.answerFromPlatform(partyOffer(platform.port))
    t.match(toCaller, /^m=audio \d+ RTP\/SAVP 0/m)
    t.match(toCaller, /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/m)
    await media.answered(node.clock.epochMs())
    caller.start(portOf(toCaller))
    platform.start(portOf(toPlatform))
    await talkOn(1500)
    const outcome = await media.close(node.clock.epochMs(), [])
    t.equal(outcome?.verdict, 'complete')
    const [callerTone, platformTone] = tonesOf(node.spool, outcome?.recordingId ?? '')
    t.ok(callerTone > 0.3 && platformTone > 0.3, `tones ${callerTone} ${platformTone}`)
    t.equal(node.pool.servers[0]?.endpoints, 0)
  })

  t.test(`what FreeSWITCH cannot decrypt is refused (${name})`, { skip }, async (t) => {
    const node = await startMediaNode(t, { real })
    const keyless = partyOffer(49_000).replace('RTP/AVP', 'RTP/SAVP')
    const dtls = partyOffer(49_000).replace('RTP/AVP', 'UDP/TLS/RTP/SAVP')
    for (const callerOffer of [keyless, dtls]) {
      await t.rejects(node.plane.open({ ...node.request(), callerOffer }), {
        code: 'unusable_offer',
      })
    }
    t.equal(node.pool.servers[0]?.endpoints, 0)
  })

  t.test(
    `an INVITE without an offer gets one, and its answer is taken (${name})`,
    { skip },
    async (t) => {
      const node = await startMediaNode(t, { real })
      const media = await node.plane.open({ ...node.request(), callerOffer: null })
      await media.offerForPlatform()
      const toCaller = await media.answerFromPlatform(partyOffer(49_002))
      t.match(toCaller, /^m=audio \d+ RTP\/AVP .*\b8\b/m)
      await media.answered(node.clock.epochMs())
      await media.takeAnswer('caller', partyOffer(49_000))
      await media.close(node.clock.epochMs(), [])
      t.equal(node.pool.servers[0]?.endpoints, 0)
    },
  )

  t.test(`the next target gets a call that one refused (${name})`, { skip }, async (t) => {
    const node = await startMediaNode(t, { real })
    const media = await node.plane.open(node.request())
    const first = await media.offerForPlatform()
    t.equal(await media.offerForPlatform(), first, 'one that said nothing leaves its endpoint')
    await media.answerFromPlatform(partyOffer(49_002))
    const second = await media.offerForPlatform()
    t.not(portOf(second), portOf(first), 'one with early media does not')
    await media.answerFromPlatform(partyOffer(49_004))
    t.equal(node.pool.servers[0]?.endpoints, 2)
    await media.close(node.clock.epochMs(), [])
    t.equal(node.pool.servers[0]?.endpoints, 0)
  })

  t.test(`twenty calls one after the other leave nothing behind (${name})`, { skip }, async (t) => {
    const node = await startMediaNode(t, { real })
    for (let count = 0; count < 20; count++) {
      const media = await node.plane.open(node.request())
      await media.offerForPlatform()
      await media.close(node.clock.epochMs(), [])
    }
    t.equal(node.pool.servers[0]?.endpoints, 0)
    t.equal(node.standIn.channels.size, 0)
  })
}

common('stand-in', false, false)
common(
  'real servers',
  true,
  realServers() === undefined
    ? 'TALLENNE_TEST_DRACHTIO and TALLENNE_TEST_FREESWITCH are not set'
    : false,
)

t.test('a fork has a short URL of its own, and nothing but a token in it', async (t) => {
  const node = await startMediaNode(t)
  const first = await node.plane.open(node.request())
  const second = await node.plane.open(node.request())
  const [a = '', b = ''] = node.standIn.urls
  t.match(a, /^ws:\/\/127\.0\.0\.1:\d+\/[A-Za-z0-9_-]{20}$/)
  t.not(a, b)
  await Promise.all([first, second].map((media) => media.close(node.clock.epochMs(), [])))
})

for (const [fault, code] of [
  ['refused', 'fork_failed'],
  ['403', 'fork_failed'],
  ['unanswered', 'media_timeout'],
  ['unresolvable', 'media_timeout'],
] as const) {
  t.test(`a fork that is ${fault} costs no call and is made anew`, async (t) => {
    const node = await startMediaNode(t)
    // The second one too, so that the call is answered before there is any.
    node.standIn.faults.push(fault, fault)
    const media = await node.plane.open(node.request())
    t.match(media.status, { kind: 'unavailable', code })
    await talk(t, node, media)
    await until(() => media.status.kind === 'recording')
    await talkOn(500)
    const outcome = await media.close(node.clock.epochMs(), [])
    t.same(node.failures, [code, code])
    t.equal(node.standIn.urls.length, 3)
    t.ok((outcome?.lostMs ?? 0) > 0, 'what went before it is lost')
  })
}

t.test('a call that must be recorded is refused where it cannot be', async (t) => {
  const node = await startMediaNode(t)
  node.standIn.faults.push('refused')
  await t.rejects(node.plane.open(node.request({ isRecordingRequired: true })), {
    code: 'fork_failed',
  })
  t.equal(node.pool.servers[0]?.endpoints, 0)
})

t.test('a fork that comes after its call’s end is refused, so that none outlives it', async (t) => {
  const node = await startMediaNode(t, { isInVain: true })
  node.standIn.faults.push('unanswered')
  const media = await node.plane.open(node.request())
  await media.close(node.clock.epochMs(), [])
  const late = new WebSocket(node.standIn.urls[0] ?? '')
  const status = await new Promise((resolve) => {
    late.on('error', () => {})
    late.on('unexpected-response', (_request, response) => resolve(response.statusCode))
  })
  late.terminate()
  t.equal(status, 403)
  t.equal(node.pool.servers[0]?.endpoints, 0)
})

t.test('a buffer that ran over is counted, and the call goes on', async (t) => {
  const node = await startMediaNode(t)
  const media = await node.plane.open(node.request())
  node.standIn.overrun()
  await until(() => node.failures.includes('fork_overrun'))
  t.equal(media.status.kind, 'recording')
  await media.close(node.clock.epochMs(), [])
})

t.test('an engine that dies in mid-call leaves the call up, recorded by another', async (t) => {
  const node = await startMediaNode(t, { engineMayDie: true })
  const media = await node.plane.open(node.request())
  await talk(t, node, media)
  const moves: string[] = []
  const before: Promise<unknown>[] = []
  media.onMoved((moved) => {
    moves.push(moved.recordingId)
    t.equal(moved.offers, null)
    before.push(moved.before)
  })
  await talkOn(300)
  await t.rejects(node.plane.open({ ...node.request(), callId: 'die', isRecordingRequired: true }))
  await until(() => moves.length === 1 && media.status.kind === 'recording')
  t.match(await before[0], { reasons: ['engine_failed'] })
  await talkOn(500)
  const outcome = await media.close(node.clock.epochMs(), [])
  t.match(outcome, { recordingId: moves[0], verdict: 'complete' })
})

t.test('a FreeSWITCH that dies takes its calls with it, and takes no new ones', async (t) => {
  const node = await startMediaNode(t)
  const media = await node.plane.open(node.request())
  const lost: string[] = []
  media.onLost((reason) => lost.push(reason))
  await talk(t, node, media)
  await talkOn(600)
  node.standIn.die()
  await until(() => lost.length > 0)
  t.equal(lost.length, 1)
  const outcome = await media.close(node.clock.epochMs(), ['engine_failed'])
  t.ok((outcome?.durationMs ?? 0) > 400, 'what was recorded until then stays')
  t.equal(node.pool.servers[0]?.endpoints, 0)
  await until(() => node.pool.servers[0]?.takesCalls === false)
  await t.rejects(node.plane.open(node.request()), { code: 'no_media_server' })
})

t.test('an event socket that hangs settles every question', async (t) => {
  const node = await startMediaNode(t, { isInVain: true })
  const media = await node.plane.open(node.request())
  node.standIn.isHung = true
  await t.rejects(media.offerForPlatform(), { code: 'media_timeout' })
  await media.close(node.clock.epochMs(), [])
  t.equal(node.pool.servers[0]?.endpoints, 0)
})

t.test('a server that is drained keeps its calls and takes no more', async (t) => {
  const node = await startMediaNode(t)
  const media = await node.plane.open(node.request())
  node.pool.find('one')?.drain(true)
  await t.rejects(node.plane.open(node.request()), { code: 'no_media_server' })
  t.equal(media.status.kind, 'recording')
  await media.close(node.clock.epochMs(), [])
  node.pool.find('one')?.drain(false)
  const next = await node.plane.open(node.request())
  await next.close(node.clock.epochMs(), [])
})
