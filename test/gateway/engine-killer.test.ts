import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import type { ContactView } from '../../storage/model.ts'
import { startMariadb } from '../mariadb.ts'
import { killEngine } from './engine-killer.ts'
import { contactOf, makeGateway } from './gateway-process.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { RtpSender } from './rtp-sender.ts'
import { SipPeer } from './sip-peer.ts'

const run = promisify(execFile)
const KILLER = new URL('./kill-engine.js', import.meta.url).pathname

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

t.test(
  'an engine that is killed takes its own call’s media with it, and nothing else',
  async (t) => {
    const gateway = await makeGateway(mariadb.settings, {
      media: { ports: { from: 32_000, to: 32_199, restS: 0 }, engines: 2 },
    })
    t.teardown(() => gateway.remove())
    const process = await gateway.start()
    const peer = await SipPeer.open(gateway.sip)
    const [onFirst, onSecond] = [await talk(peer, 'on-first'), await talk(peer, 'on-second')]
    await contactOf(mariadb.pool(), 'on-first', isRecording)
    await contactOf(mariadb.pool(), 'on-second', isRecording)

    await onFirst.spoken(150)
    t.match(await killEngine(process.pid, { engineIndex: 0 }), / engine-0$/)
    // Which of two idle engines takes the first call is theirs to settle.
    const [struck, spared] = await Promise.any([
      onFirst.acceptMove().then(() => ['on-first', 'on-second'] as const),
      onSecond.acceptMove().then(() => ['on-second', 'on-first'] as const),
    ])
    await contactOf(mariadb.pool(), struck, ({ recordings }) =>
      recordings.some(({ state }) => state === 'partial'),
    )
    t.match(process.log(), /an engine was killed by a test.*"recordings":1/)
    t.match(await metrics(gateway.http), /^tallenne_engine_deaths_total 1$/m)

    await (spared === 'on-first' ? onFirst : onSecond).end()
    t.match(await contactOf(mariadb.pool(), spared, hasEnded), {
      endReason: 'bye',
      recordings: [{ state: 'complete', reasons: [] }],
    })
    const { stdout } = await run('node', [
      KILLER,
      `${process.pid}`,
      '--engine',
      '1',
      '--death',
      'exit',
    ])
    t.match(stdout, /engine-1: exit\n/, 'and the other one')
    await (spared === 'on-first' ? onSecond : onFirst).end()
    await peer.close()
    t.equal((await process.end('SIGTERM')).code, 0)
  },
)

async function talk(peer: SipPeer, callId: string) {
  const [caller, agent] = [await RtpSender.open(440), await RtpSender.open(1000)]
  const lines = [
    { port: caller.port, label: '1' },
    { port: agent.port, label: '2' },
  ]
  const call = peer.call({
    callId,
    contentType: MULTIPART,
    body: bothBodies(offer(lines), metadata()),
  })
  const { status, body } = await call.invite()
  if (status !== 200) throw new Error(`the INVITE got ${status}`)
  const [first, second] = answeredLines(body)
  caller.start(first?.port ?? 0)
  agent.start(second?.port ?? 0)
  return {
    /** Takes the new place of the media. */
    async acceptMove() {
      call.accept(await call.received('INVITE'), offer(lines, 2))
    },
    async spoken(packets: number) {
      while (caller.sent < packets) await delay(20)
    },
    async end() {
      await call.bye()
      await Promise.all([caller.close(), agent.close()])
    },
  }
}

const isRecording = ({ recordings }: ContactView) => recordings.length === 1

const hasEnded = ({ endedAt, recordings }: ContactView) =>
  endedAt !== null && recordings.every(({ state }) => state !== 'recording')

async function metrics(http: string): Promise<string> {
  return (await fetch(`${http}/metrics`)).text()
}
