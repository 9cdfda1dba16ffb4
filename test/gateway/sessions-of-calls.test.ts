import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findContact } from '../../storage/contact-queries.ts'
import type { ContactView } from '../../storage/model.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { startMariadb } from '../mariadb.ts'
import { decodeOpus } from '../recorder/opus-file.ts'
import { toneShare } from '../recorder/tones.ts'
import { until } from '../until.ts'
import { contactOf, hasEnded, isRecorded } from './contact-of.ts'
import { type GatewayFolder, makeGateway } from './gateway-process.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { RtpSender } from './rtp-sender.ts'
import { SipPeer } from './sip-peer.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

const CALLER_HZ = 440
const AGENT_HZ = 1000

async function rig(t: Test) {
  const gateway = await makeGateway(mariadb.settings)
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  const peer = await SipPeer.open(gateway.sip)
  const caller = await RtpSender.open(CALLER_HZ)
  const agent = await RtpSender.open(AGENT_HZ)
  t.teardown(async () => {
    await Promise.all([caller.close(), agent.close()])
    await peer.close()
  })
  return { gateway, process, peer, caller, agent }
}

/** How much of each channel is each party's tone, at the best of several moments: a loaded machine sends in bursts. */
function heard(gateway: GatewayFolder, recordingId: string) {
  const file = readFileSync(join(gateway.dataPath, 'recordings', storeFileOf(recordingId)))
  const { caller, agent } = decodeOpus(file)
  const share = (samples: Int16Array, hertz: number) =>
    Math.max(
      ...[400, 600, 800, 1000, 1200].map((fromMs) =>
        toneShare(samples.subarray(fromMs * 48, (fromMs + 150) * 48), hertz, 48_000),
      ),
    )
  return {
    callerOnFirst: share(caller, CALLER_HZ),
    agentOnSecond: share(agent, AGENT_HZ),
  }
}

function bridge(end: 'near' | 'far'): string {
  return [
    `sip:4001@127.0.0.1;x-${end}end;x-refci=81234567;x-nearendclusterid=StandAloneCluster`,
    'x-nearenddevice=SEP001122334455;x-nearendaddr=4001;x-farendrefci=81234568',
    'x-farendclusterid=StandAloneCluster;x-farenddevice=TRUNK-A;x-farendaddr=2025550147',
  ].join(';')
}

t.test('a phone’s two sessions become one file, the caller left and the agent right', async (t) => {
  const { gateway, process, peer, caller, agent } = await rig(t)
  const bring = async (end: 'near' | 'far', sender: RtpSender) => {
    const session = peer.call({ callId: `${end}-end`, from: bridge(end), to: 'sip:8000@127.0.0.1' })
    session.sendInvite()
    const response = await session.response('INVITE')
    session.ack(response, offer([{ port: sender.port }, { port: 0 }]))
    sender.start(answeredLines(response.body)[0]?.port ?? 0)
    return session
  }
  const near = await bring('near', agent)
  const far = await bring('far', caller)
  await caller.says(100)
  await far.bye()
  await near.bye()
  const contact = await contactOf(mariadb.pool(), 'far-end', hasEnded)
  t.match(contact, {
    agent: '4001',
    segments: [{ agent: '4001' }],
    recordings: [{ state: 'complete', channels: ['caller', 'agent'] }],
    sessions: [{ callId: 'near-end' }, { callId: 'far-end' }],
  })
  t.equal(contact.recordings.length, 1)
  t.equal((await contactOf(mariadb.pool(), 'near-end')).id, contact.id)
  const shares = heard(gateway, contact.recordings[0]?.id ?? '')
  t.ok(shares.callerOnFirst > 0.9 && shares.agentOnSecond > 0.9, JSON.stringify(shares))
  await process.end('SIGTERM')
})

t.test('two calls of one session become two contacts, each with its own sound', async (t) => {
  const { gateway, process, peer, caller, agent } = await rig(t)
  const two = [
    { port: caller.port, label: '1' },
    { port: agent.port, label: '2' },
  ]
  const xml = (id: string, number: string, stop = '') =>
    metadata({ caller: number })
      .replaceAll(/"([pst])(\d)"/g, `"$1$2${id}"`)
      .replaceAll(/>t(\d)</g, `>t$1${id}<`)
      .replace(`<session session_id="s1${id}"/>`, `<session session_id="s1${id}">${stop}</session>`)
      .replace(
        '</recording>',
        ['p1', 'p2']
          .map(
            (who) =>
              `<participantsessionassoc participant_id="${who}${id}" session_id="s1${id}"><associate-time>2026-01-05T10:00:00Z</associate-time></participantsessionassoc>`,
          )
          .join('')
          .concat('</recording>'),
      )
  const nothing =
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode></recording>'
  const call = peer.call({
    callId: 'persistent',
    to: 'sip:+12025550100@127.0.0.1',
    contentType: MULTIPART,
    body: bothBodies(offer(two), nothing),
  })
  const { body } = await call.invite()
  const [first, second] = answeredLines(body)
  caller.start(first?.port ?? 0)
  agent.start(second?.port ?? 0)
  /** Tells when it was said, epoch milliseconds: not before the first, and by the second. */
  const say = async (told: string) => {
    const fromMs = Date.now()
    call.request('UPDATE', { contentType: 'application/rs-metadata+xml', body: told })
    await call.response('UPDATE')
    return [fromMs, Date.now()] as const
  }
  await caller.says(50)
  const begun = await say(xml('a', '+12025550147'))
  await caller.says(75)
  const stopped = await say(xml('a', '+12025550147', '<stop-time>2026-01-05T10:10:00Z</stop-time>'))
  await caller.says(25)
  const another = await say(xml('b', '+12025550148'))
  await caller.says(100)
  await call.bye()
  const endedAtMs = Date.now()
  const contacts: ContactView[] = []
  for (const number of ['+12025550147', '+12025550148']) {
    const find = async () => {
      const rows: { id: string }[] = await mariadb.pool().query(
        `SELECT c.id FROM contacts c JOIN recordings r ON r.contact_id = c.id
           WHERE c.call_id = 'persistent' AND c.caller_e164 = ? AND r.state <> 'recording' AND c.ended_at IS NOT NULL`,
        [number],
      )
      return rows[0]?.id
    }
    const id = await until(find, 20)
    const contact = await findContact(mariadb.pool(), id, Date.now())
    if (contact !== undefined) contacts.push(contact)
  }
  const [one, other] = contacts
  t.match(one, { endReason: 'session_stopped', recordings: [{ state: 'complete', reasons: [] }] })
  t.match(other, { endReason: 'bye', recordings: [{ state: 'complete', reasons: [] }] })
  for (const [contact, leastMs, mostMs] of [
    [one, stopped[0] - begun[1], stopped[1] - begun[0]],
    [other, 2000, endedAtMs - another[0]],
  ] as const) {
    const durationMs = contact?.recordings[0]?.durationMs ?? 0
    const isOfItsLength = durationMs > leastMs - 100 && durationMs < mostMs + 100
    t.ok(isOfItsLength, `${durationMs} ms of ${leastMs} to ${mostMs}`)
  }
  for (const contact of contacts) {
    const shares = heard(gateway, contact.recordings[0]?.id ?? '')
    t.ok(shares.callerOnFirst > 0.9 && shares.agentOnSecond > 0.9, JSON.stringify(shares))
  }
  await process.end('SIGTERM')
})

t.test(
  'a client that comes back after the gateway was killed goes on with its contact',
  async (t) => {
    const { gateway, process: killed, peer, caller, agent } = await rig(t)
    const invite = (callId: string) =>
      peer.call({
        callId,
        to: 'sip:+12025550100@127.0.0.1',
        headers: ['User-to-User: 00FA080001183F5093914D;encoding=hex'],
        contentType: MULTIPART,
        body: bothBodies(
          offer([
            { port: caller.port, label: '1' },
            { port: agent.port, label: '2' },
          ]),
          metadata(),
        ),
      })
    const start = async (callId: string) => {
      const call = invite(callId)
      const [first, second] = answeredLines((await call.invite()).body)
      caller.start(first?.port ?? 0)
      agent.start(second?.port ?? 0)
      await caller.says(75)
      return call
    }
    await start('before-the-kill')
    await contactOf(mariadb.pool(), 'before-the-kill', isRecorded)
    await killed.end('SIGKILL')
    const process = await gateway.start()
    const call = await start('after-the-kill')
    await call.bye()
    const contact = await contactOf(mariadb.pool(), 'after-the-kill', hasEnded)
    t.equal(contact.id, (await contactOf(mariadb.pool(), 'before-the-kill')).id)
    t.match(contact, {
      endReason: 'bye',
      recordings: [{ state: 'partial', reasons: ['crash_recovered'] }, { state: 'complete' }],
    })
    t.equal(contact.sessions.length, 2)
    await process.end('SIGTERM')
  },
)
