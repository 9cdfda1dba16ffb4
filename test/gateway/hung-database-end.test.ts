import t from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { createRegistry } from '../../base/process-metrics.ts'
import { loadConfig } from '../../config/load-config.ts'
import { lookAfterCalls } from '../../gateway/look-after-calls.ts'
import { migrate } from '../../storage/migrate.ts'
import { ManualClock } from '../manual-clock.ts'
import { startMariadb } from '../mariadb.ts'
import { until } from '../until.ts'
import { contactOf } from './contact-of.ts'
import { makeGateway } from './gateway-process.ts'
import { MemoryJournal } from './memory-journal.ts'
import { talk } from './talk.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
t.teardown(() => mariadb.thaw())

t.test(
  'a gateway ends in time while its database hangs, and its journal has the calls',
  async (t) => {
    const gateway = await makeGateway(mariadb.settings)
    t.teardown(() => gateway.remove())
    const process = await gateway.start()
    const before = await talk(t, gateway, 'hung-before')
    await before.spoken(50)
    mariadb.freeze()
    const during = await talk(t, gateway, 'hung-during')
    await until(async () => (await gateway.metric('tallenne_database_up')) === 0)
    const { code, ms } = await process.end('SIGTERM')
    t.equal(code, 0)
    t.ok(ms < 5500, `it took ${Math.round(ms)} ms`)
    t.notMatch(process.log(), /not closed in/)
    await Promise.all([before.close(), during.close()])
    mariadb.thaw()
    await gateway.start()
    for (const callId of ['hung-before', 'hung-during']) {
      const contact = await contactOf(mariadb.pool(), callId, ({ recordings }) =>
        recordings.every(({ state }) => state === 'partial'),
      )
      t.match(contact, { endReason: 'shutdown', recordings: [{ reasons: ['shutdown'] }] })
    }
  },
)

t.test('a comparison that waits for a database that hangs is left behind', async (t) => {
  const pool = mariadb.pool()
  await migrate(pool)
  const clock = new ManualClock(new SystemClock().epochMs())
  const config = loadConfig(undefined, { TALLENNE_DATA_PATH: t.testdir() })
  let compared = false
  const close = lookAfterCalls(config, {
    pool,
    journal: Object.assign(new MemoryJournal(), { state: { depth: 0 }, drained: async () => {} }),
    startedAtMs: clock.epochMs(),
    spooled: [],
    inSpool: async () => {
      compared = true
      return []
    },
    repair: async () => undefined,
    files: { keep: async () => '', keepLater: () => {} },
    calls: () => [],
    recordings: async () => [],
    registry: createRegistry('gateway', '0.0.0'),
    clock,
    log: createSilentLog(),
  })
  await until(() => clock.timers > 0)
  mariadb.freeze()
  clock.advance(30_000)
  t.equal(compared, true)
  const closed = close()
  clock.advance(250)
  await closed
  mariadb.thaw()
})
