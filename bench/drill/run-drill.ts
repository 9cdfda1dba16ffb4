import { setTimeout as delay } from 'node:timers/promises'
import type { Drill, DrillGround, DrillResult } from './drill.ts'
import { type DrillLoad, RunningLoad } from './drill-load.ts'
import { type JudgedCall, judgeCall, longestLossMs } from './judge-calls.ts'
import { Site, waitFor } from './site.ts'

const BEFORE_MS = 5000
const AFTER_MS = 5000
const NEXT_CALLS = 2
const NEXT_MS = 4000

/** Strikes a site of its own with that many calls up, and tells what came of it. */
export async function runDrill(drill: Drill, calls: number): Promise<DrillResult> {
  const ground = drill.prepare?.()
  try {
    return await runOn(ground, drill, calls)
  } finally {
    ground?.disk.remove()
  }
}

async function runOn(
  ground: DrillGround | undefined,
  drill: Drill,
  calls: number,
): Promise<DrillResult> {
  const site = await Site.start(ground?.config, ground?.elsewhere)
  try {
    const load = await RunningLoad.start({ to: site.sip, calls })
    await delay(BEFORE_MS)
    const struckAtMs = Date.now()
    const note = await drill.strike(site, ground)
    const isWhole = (await waitFor(() => isSiteWhole(site))) !== undefined
    const wholeMs = isWhole ? Date.now() - struckAtMs : undefined
    await delay(AFTER_MS)
    const sent = await load.end()
    const judged = await judgeAll(site, sent, drill.endsCalls ? struckAtMs : undefined)
    return {
      name: drill.name,
      fault: drill.fault,
      calls: sent.calls.length,
      refused: sent.refusals.length,
      concernsCalls: drill.concerns !== 'none',
      ...losses(drill, judged),
      rowsLost: judged.filter((call) => call === undefined || call.isUnplayable).length,
      wholeMs,
      next: await fateOfNext(site, calls),
      verdicts: countVerdicts(judged),
      note,
    }
  } finally {
    await site.stop()
  }
}

/** Whether calls are taken, the store has every file and MariaDB every row. */
export async function isSiteWhole(site: Site): Promise<boolean> {
  if (!(await site.isReady())) return false
  if ((await site.metric('tallenne_recordings_unstored')) !== 0) return false
  if ((await site.metric('tallenne_journal_entries')) !== 0) return false
  return await isAnswering(site)
}

/** Whether the portal reaches MariaDB. */
export async function isAnswering(site: Site): Promise<boolean> {
  return await site.contactsOf('none').then(
    () => true,
    () => false,
  )
}

async function judgeAll(
  site: Site,
  { calls }: DrillLoad,
  untilMs: number | undefined,
): Promise<(JudgedCall | undefined)[]> {
  const judged: (JudgedCall | undefined)[] = []
  for (const call of calls) judged.push(await judgeCall(site, call, { untilMs }))
  return judged
}

function losses(
  drill: Drill,
  judged: readonly (JudgedCall | undefined)[],
): Pick<DrillResult, 'concernedLostMs' | 'otherLostMs'> {
  const known = judged.filter((call) => call !== undefined)
  const { concerns } = drill
  const isStruck = ({ contact }: JudgedCall) =>
    typeof concerns === 'function' ? concerns(contact) : concerns === 'all'
  const worst = (isConcerned: boolean) => {
    const those = known.filter((call) => isStruck(call) === isConcerned)
    return those.length === 0 ? undefined : Math.max(...those.map(longestLossMs))
  }
  return { concernedLostMs: worst(true), otherLostMs: worst(false) }
}

/** Calls that come after it must be taken, and nothing of them be lost. */
async function fateOfNext(site: Site, first: number): Promise<string> {
  const load = await RunningLoad.start({ to: site.sip, calls: NEXT_CALLS, first })
  await delay(NEXT_MS)
  const sent = await load.end()
  const judged = await judgeAll(site, sent, undefined)
  const fates = judged.map((call) => {
    if (call === undefined) return 'no verdict'
    const verdict = Object.keys(countVerdicts([call])).join(' and ')
    const lostMs = longestLossMs(call)
    return verdict === 'complete' && lostMs > 0 ? `${lostMs} ms lost` : verdict
  })
  return [...new Set([...sent.refusals, ...fates])].join(', ')
}

function countVerdicts(judged: readonly (JudgedCall | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const call of judged) {
    for (const { state, reasons } of call?.contact.recordings ?? []) {
      const verdict = [state, ...reasons].join(' ')
      counts[verdict] = (counts[verdict] ?? 0) + 1
    }
  }
  return counts
}
