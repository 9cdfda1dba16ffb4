import t from 'tap'
import { startMariadb } from '../mariadb.ts'
import { until } from '../until.ts'
import { contactOf, hasEnded } from './contact-of.ts'
import { killThread } from './engine-killer.ts'
import { makeGateway } from './gateway-process.ts'
import { talk } from './talk.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

t.test('calls on two engines outlive the threads that work on their disks', async (t) => {
  const gateway = await makeGateway(mariadb.settings, {
    media: { ports: { from: 32_000, to: 32_199, restS: 0 }, engines: 2 },
  })
  t.teardown(() => gateway.remove())
  const { pid, log } = await gateway.start()
  const deaths = (disk: string) =>
    gateway.metric(`tallenne_disk_thread_deaths_total{disk="${disk}"}`)
  const calls = [await talk(t, gateway, 'first'), await talk(t, gateway, 'second')]
  t.equal(await deaths('spool'), 0)
  for (const [deadlyFor, death] of [
    ['spool-0', 'throw'],
    ['spool-1', 'exit'],
    ['store', 'throw'],
  ] as const) {
    await Promise.all(calls.map((call) => call.spoken(75)))
    await killThread(pid, deadlyFor, death)
  }
  await until(async () => (await deaths('spool')) === 2 && (await deaths('store')) === 1)
  await Promise.all(calls.map((call) => call.spoken(75)))
  for (const { call } of calls) await call.bye()
  for (const callId of ['first', 'second']) {
    const { recordings } = await contactOf(mariadb.pool(), callId, hasEnded)
    t.match(recordings, [{ state: 'complete', reasons: [], lostMs: 0 }])
    t.equal(recordings.length, 1)
  }
  await until(() => gateway.spooled().length === 0)
  const died = log()
    .split('\n')
    .filter((line) => line.includes('"disk’s thread died"'))
    .map((line) => JSON.parse(line))
  t.match(died, [
    { thread: 'spool-0', cause: 'a thread was killed by a test', restartInMs: 0 },
    { thread: 'spool-1', cause: 'it ended with code 1', restartInMs: 0 },
    { thread: 'store', restartInMs: 0 },
  ])
  t.notMatch(log(), /uncaught exception/)
})
