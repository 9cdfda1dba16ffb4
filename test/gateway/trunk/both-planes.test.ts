import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tone } from '../../recorder/tones.ts'
import { wav } from '../../recorder/wav.ts'
import { MediaParty } from './media-party.ts'
import { audioPort, sdp, startTrunkNode, type TrunkNode } from './trunk-node.ts'

const PCMU = { formats: ['0 PCMU/8000', '101 telephone-event/8000'] }
const hasFreeswitch =
  process.env['TALLENNE_TEST_FREESWITCH'] !== undefined &&
  process.env['TALLENNE_TEST_DRACHTIO'] !== undefined

/** Sound files of one second, each of a tone. */
function sounds(t: Test, tones: readonly number[], seconds = 1): readonly string[] {
  const folder = t.testdir()
  return tones.map((hertz) => {
    const file = join(folder, `${hertz}.wav`)
    writeFileSync(file, wav(tone(hertz, 0, seconds * 8000)))
    return file
  })
}

/** Waits until so many packets of a tone were heard. */
async function hearsTone(
  party: MediaParty,
  hertz: number,
  { packets = 10, from = 0 }: { readonly packets?: number; readonly from?: number } = {},
): Promise<void> {
  while (party.heardTone(hertz, from) < packets)
    await party.hears(party.heard.length - from + 1, from)
}

const contactOf = (node: TrunkNode) => [
  `Contact: <sip:client@127.0.0.1:${node.caller.port}>`,
  'Content-Type: application/sdp',
]

for (const media of ['direct', 'freeswitch'] as const) {
  const skip = media === 'freeswitch' && !hasFreeswitch ? 'no FreeSWITCH is named' : false

  t.test(
    `the caller hears announcements whole before the platform is called (${media})`,
    { skip },
    async (t) => {
      const [first = '', second = ''] = sounds(t, [1000, 440])
      const absent = `${first}.absent`
      const files = [first, absent, second]
      // A service line's own files go before those of the route.
      const announcement = { files: [second, second], lines: { asiakastuki: files } }
      const node = await startTrunkNode(t, { route: { media, announcement } })
      const caller = await MediaParty.open(t)
      const agent = await MediaParty.open(t)
      const call = node.callTo([], sdp(caller.port, PCMU))
      call.sendInvite()
      const early = await node.caller.next(({ status }) => status === 183)
      t.match(early.body, /a=sendrecv/)
      caller.talk(audioPort(early.body), 600)
      const at = await node.arrived()
      t.ok(caller.heardTone(1000) >= 45, `${caller.heardTone(1000)} packets of the first`)
      t.ok(caller.heardTone(440) >= 45, `${caller.heardTone(440)} packets of the second`)
      const answeredAtMs = Date.now()
      const acknowledged = at.answer(sdp(agent.port, PCMU))
      t.equal((await call.answered()).status, 200)
      await acknowledged
      agent.talk(audioPort(at.invite.body), 1500)
      await hearsTone(agent, 600)
      await hearsTone(caller, 1500)
      t.equal((await call.bye()).status, 200)
      const ended = await node.journaled('recording.ended')
      t.equal(ended.state, 'complete')
      const mostMs = Date.now() - answeredAtMs + 20
      t.ok(ended.durationMs <= mostMs, `${ended.durationMs} of ${mostMs} ms are the call alone`)
    },
  )

  t.test(
    `a caller that hangs up during an announcement calls nobody (${media})`,
    { skip },
    async (t) => {
      const files = sounds(t, [1000], 10)
      const node = await startTrunkNode(t, { route: { media, announcement: { files } } })
      const caller = await MediaParty.open(t)
      const call = node.callTo([], sdp(caller.port, PCMU))
      call.sendInvite()
      const early = await node.caller.next(({ status }) => status === 183)
      caller.talk(audioPort(early.body), 600)
      await hearsTone(caller, 1000)
      call.cancel()
      t.equal((await call.answered()).status, 487)
      t.match(await node.journaled('contact.ended'), { endReason: 'cancelled' })
      // The next call is the first that the platform hears of.
      const next = node.callTo([], sdp(caller.port, PCMU))
      next.sendInvite()
      await node.caller.next(({ status }) => status === 183)
      next.cancel()
      t.equal((await next.answered()).status, 487)
      t.equal(node.entries.filter(({ kind }) => kind === 'recording.started').length, 0)
    },
  )

  t.test(`an announcement that cannot be played costs no call (${media})`, { skip }, async (t) => {
    const files = [join(t.testdir(), 'absent.wav')]
    const node = await startTrunkNode(t, { route: { media, announcement: { files } } })
    const { call, answer } = await node.talking()
    t.equal(answer.status, 200)
    t.equal((await call.bye()).status, 200)
    const failed = 'tallenne_trunk_announcements_failed_total{route="support"}'
    t.equal(await node.metric(failed), 1)
  })

  t.test(`sound follows a party that moves, and keys pass (${media})`, { skip }, async (t) => {
    const node = await startTrunkNode(t, { route: { media } })
    const [caller, agent, elsewhere] = [
      await MediaParty.open(t),
      await MediaParty.open(t),
      await MediaParty.open(t),
    ]
    const { call, at, answer } = await node.talking(
      { body: sdp(caller.port, PCMU) },
      { body: sdp(agent.port, PCMU) },
    )
    agent.talk(audioPort(at.invite.body), 1500)
    caller.talk(audioPort(answer.body), 600)
    await hearsTone(caller, 1500)
    await hearsTone(agent, 600)
    caller.press(audioPort(answer.body), 5)
    while (!agent.heard.some((packet) => (packet[1] ?? 0) % 128 === 101 && packet[12] === 5)) {
      await agent.hears(agent.heard.length + 1)
    }
    caller.stop()
    const answered = call.reinvite({ body: sdp(elsewhere.port, { ...PCMU, version: 2 }) })
    // FreeSWITCH ends media of its own, so the platform may hear of a move or not.
    const passed = await at.received('INVITE')
    at.respond(200, { body: sdp(agent.port, { ...PCMU, version: 2 }) }, passed)
    const moved = await answered
    t.equal(moved.status, 200)
    elsewhere.talk(audioPort(moved.body), 700)
    await hearsTone(elsewhere, 1500)
    await hearsTone(agent, 700)
    t.equal((await call.bye()).status, 200)
  })

  t.test(
    `a transfer joins the caller to somebody else, who is recorded (${media})`,
    { skip },
    async (t) => {
      const node = await startTrunkNode(t, { route: { media, refer: 'handle' } })
      const [caller, agent, other] = [
        await MediaParty.open(t),
        await MediaParty.open(t),
        await MediaParty.open(t),
      ]
      const { call, at, answer } = await node.talking(
        { body: sdp(caller.port, PCMU) },
        { body: sdp(agent.port, PCMU) },
      )
      caller.talk(audioPort(answer.body), 600)
      agent.talk(audioPort(at.invite.body), 1500)
      await hearsTone(caller, 1500)
      at.request('REFER', { headers: ['Refer-To: <sip:2001@platform.example>'] })
      t.equal((await at.response('REFER')).status, 202)
      const next = await node.arrived()
      const from = caller.heard.length
      await hearsTone(caller, 1500, { from })
      const acknowledged = next.answer(sdp(other.port, PCMU))
      await acknowledged
      other.talk(audioPort(next.invite.body), 1000)
      await at.received('BYE')
      agent.stop()
      // Where the caller's answer changes, it is told so.
      void call.received('INVITE').then(
        (news) => node.caller.respond(news, 200, contactOf(node), sdp(caller.port, PCMU)),
        () => undefined,
      )
      await hearsTone(caller, 1000)
      await hearsTone(other, 600)
      t.equal((await call.bye()).status, 200)
      t.match(await node.journaled('recording.ended'), { state: 'complete' })
    },
  )
}
