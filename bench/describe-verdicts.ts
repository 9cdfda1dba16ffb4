import { setTimeout as delay } from 'node:timers/promises'
import type { RecordingView } from '../storage/model.ts'
import type { LoadFigures } from './load-figures.ts'
import { percentile } from './machine-noise.ts'
import type { RecorderUnderTest } from './recorder-under-test.ts'

/** A line on what became of a load's calls, when every one of them has its verdict. */
export async function describeVerdicts(
  load: LoadFigures,
  recorder: RecorderUnderTest,
): Promise<string> {
  // The verdicts come with the calls' ends; the last rows are a moment behind.
  for (let attempt = 0; attempt < 50; attempt++) {
    const contacts = await recorder.contactsOf(load.callIds)
    const recordings = contacts.flatMap((contact) => contact.recordings)
    const judged = recordings.filter(({ state }) => state !== 'recording')
    if (judged.length < load.answered) {
      await delay(200)
      continue
    }
    const complete = judged.filter(({ state }) => state === 'complete').length
    const lostMs = judged.reduce((sum, { lostMs: lost }) => sum + (lost ?? 0), 0)
    const worstMs = percentile(
      judged.map(({ lostMs: lost }) => lost ?? 0),
      1,
    )
    return (
      `calls ${load.answered} answered, ${load.refused} refused, ${complete} complete${describeReasons(judged)}; ` +
      `${load.packetsSent} packets sent, ${lostMs} ms lost in all (worst call ${worstMs} ms)`
    )
  }
  return 'not every call has its verdict after ten seconds'
}

/** Why verdicts are not better, and how often. */
function describeReasons(judged: readonly RecordingView[]): string {
  const counts = new Map<string, number>()
  for (const reason of judged.flatMap(({ reasons }) => reasons)) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  if (counts.size === 0) return ''
  return ` (${[...counts].map(([reason, count]) => `${reason} ${count}`).join(', ')})`
}
