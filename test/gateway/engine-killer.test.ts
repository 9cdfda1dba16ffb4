import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { startMariadb } from '../mariadb.ts'
import { contactOf, hasEnded, isRecorded } from './contact-of.ts'
import { killEngine } from './engine-killer.ts'
import { makeGateway } from './gateway-process.ts'
import { offer } from './recording-offer.ts'
import { talk } from './talk.ts'

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
    const [onFirst, onSecond] = [
      await talk(t, gateway, 'on-first'),
      await talk(t, gateway, 'on-second'),
    ]
    await contactOf(mariadb.pool(), 'on-first', isRecorded)
    await contactOf(mariadb.pool(), 'on-second', isRecorded)

    await onFirst.spoken(150)
    t.match(await killEngine(process.pid, { engineIndex: 0 }), / engine-0$/)
    // Which of two idle engines takes the first call is theirs to settle.
    const [struck, spared] = await Promise.any([
      acceptMove(onFirst).then(() => ['on-first', 'on-second'] as const),
      acceptMove(onSecond).then(() => ['on-second', 'on-first'] as const),
    ])
    await contactOf(mariadb.pool(), struck, ({ recordings }) =>
      recordings.some(({ state }) => state === 'partial'),
    )
    t.match(process.log(), /a thread was killed by a test.*"recordings":1/)
    t.equal(await gateway.metric('tallenne_engine_deaths_total'), 1)

    await (spared === 'on-first' ? onFirst : onSecond).call.bye()
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
    await (spared === 'on-first' ? onSecond : onFirst).call.bye()
    await Promise.all([onFirst.close(), onSecond.close()])
    t.equal((await process.end('SIGTERM')).code, 0)
  },
)

/** Takes the new place of the media. */
async function acceptMove({ call, lines }: Awaited<ReturnType<typeof talk>>): Promise<void> {
  call.accept(await call.received('INVITE'), offer(lines, 2))
}
