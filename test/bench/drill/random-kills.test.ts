import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { LONGEST_LOSS_MS } from '../../../bench/drill/drill.ts'
import type { DrillCall } from '../../../bench/drill/drill-load.ts'
import { RunningLoad } from '../../../bench/drill/drill-load.ts'
import { kill, running } from '../../../bench/drill/drills.ts'
import { judgeCall, longestLossMs } from '../../../bench/drill/judge-calls.ts'
import { isSiteWhole } from '../../../bench/drill/run-drill.ts'
import { type Part, Site, waitFor } from '../../../bench/drill/site.ts'
import { recordingIdOf } from '../../../storage/store-file.ts'
import { killEngine } from '../../gateway/engine-killer.ts'
import { Random } from '../../random.ts'

/** `TALLENNE_TEST_SEED` plays a run again as far as the machine lets it; `TALLENNE_TEST_KILLS` makes it longer. */
const seed = Number(process.env['TALLENNE_TEST_SEED'] ?? Date.now() % 1_000_000)
const kills = Number(process.env['TALLENNE_TEST_KILLS'] ?? 5)
const CALLS = 3
/** Calls are set up, up, and begin to end within it. */
const WITHIN_MS = 4000

type Victim = Part | 'engine'
/** In an order of the seed's, the engine once: the one that takes its place has another name. */
const FIRST: readonly Victim[] = ['gateway', 'engine', 'mariadb', 'portal', 'retention']
const FURTHER: readonly Victim[] = ['gateway', 'gateway', 'mariadb', 'retention']

t.test(
  'whatever is killed at whatever moment, no row, no file and at most a second is lost',
  async (t) => {
    t.comment(`TALLENNE_TEST_SEED=${seed}`)
    const random = new Random(seed)
    const victims = [...shuffled(FIRST, random), ...shuffled(FURTHER, random)]
    const site = await Site.start({ media: { engines: 2 } })
    t.teardown(() => site.stop())
    const answered: DrillCall[] = []
    for (let round = 0; round < kills; round++) {
      const victim = victims[round % victims.length] ?? 'gateway'
      const afterMs = random.next(WITHIN_MS)
      const what = `round ${round}: ${victim} after ${afterMs} ms`
      const loading = RunningLoad.start({ to: site.sip, calls: CALLS, first: round * CALLS })
      await delay(afterMs)
      const struckAtMs = Date.now()
      if (victim === 'engine') await killEngine(running(site, 'gateway'))
      else await kill(site, victim)
      const load = await loading
      t.teardown(() => load.kill())
      t.type(await waitFor(() => isSiteWhole(site)), 'number', `${what}: whole again`)
      // Calls that are up go on for a while after it.
      await delay(1500)
      const { calls, refusals } = await load.end()
      // Calls that come while the gateway, or one of its engines, is away may be refused; nothing else refuses any.
      if (victim !== 'gateway' && victim !== 'engine')
        t.strictSame(refusals, [], `${what}: refused`)
      answered.push(...calls)
      for (const call of calls) {
        const untilMs = victim === 'gateway' ? struckAtMs : undefined
        const judged = await judgeCall(site, call, { untilMs })
        t.ok(judged, `${what}: one contact, a verdict for each recording`)
        t.notOk(judged?.isUnplayable, `${what}: what has audio plays`)
        const lostMs = judged === undefined ? 0 : longestLossMs(judged)
        // How soon an engine is replaced is the machine's matter: `npm run drill` measures it where nothing else runs.
        if (victim === 'engine') t.comment(`${what}: ${lostMs} ms lost`)
        else
          t.ok(lostMs <= (victim === 'gateway' ? LONGEST_LOSS_MS : 0), `${what}: ${lostMs} ms lost`)
      }
    }
    t.ok(answered.length > 0, 'some calls were taken')
    await t.test('files and rows agree', async (t) => {
      const contacts = await Promise.all(answered.map(({ callId }) => site.contactsOf(callId)))
      const recordings = contacts.flat().flatMap((contact) => contact.recordings)
      const withFile = recordings.filter(({ bytes }) => (bytes ?? 0) > 0).map(({ id }) => id)
      const stored = site.filesIn('recordings').flatMap((path) => idOf(path) ?? [])
      t.strictSame(
        withFile.filter((id) => !stored.includes(id)),
        [],
        'every row has its file',
      )
      t.strictSame(
        stored.filter((id) => !withFile.includes(id)),
        [],
        'every file has its row',
      )
      t.strictSame(
        site.filesIn('spool').flatMap((path) => idOf(path) ?? []),
        [],
        'the spool is empty',
      )
    })
  },
)

function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  return items
    .map((item) => ({ item, place: random.next(2 ** 31) }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

function idOf(path: string): string | undefined {
  return recordingIdOf(path.slice(path.lastIndexOf('/') + 1))
}
