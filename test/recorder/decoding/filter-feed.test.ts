import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { DecodeJob } from '../../../recorder/decoding/decode-job.ts'
import { FilterFeed } from '../../../recorder/decoding/filter-feed.ts'
import { FILTER_KINDS } from '../../../recorder/decoding/filter-kinds.ts'
import { FilterProcesses } from '../../../recorder/decoding/filter-processes.ts'
import { FileBudget } from '../../../recorder/file-budget.ts'
import { until } from '../../until.ts'
import { toneShare } from '../tones.ts'
import { decoderProcessIds } from './child-processes.ts'
import { ENCODED_TONES } from './encoded-tones.ts'

const [KIND] = FILTER_KINDS.G729
const TONE = Buffer.from(ENCODED_TONES.G729, 'base64')

/** A feed of G.729, and 20 ms of a tone after another for it. */
function feedOf(t: Test, { most = 2, limit = 4096 } = {}) {
  if (KIND === undefined) throw new Error('there is no kind of G.729')
  const kind = KIND
  const clock = new SystemClock()
  const files = new FileBudget({ clock, limit, countOpen: () => 0 })
  const processes = new FilterProcesses({ most, files, clock })
  t.teardown(() => processes.close())
  const feed = new FilterFeed({ kind, processes, clock, onSettled: () => {} })
  let at = 0
  const feedNext = () => {
    const frames = [TONE.subarray(at, at + 10), undefined, TONE.subarray(at + 10, at + 20)]
    at = (at + 20) % TONE.length
    const job = new DecodeJob({ kind, frames })
    feed.feed(job)
    return job
  }
  return { feed, feedNext, processes }
}

async function settled(jobs: readonly DecodeJob[]): Promise<void> {
  await until(() => jobs.every(({ state }) => state !== 'waiting'))
}

t.test('each payload gets its own samples, and silence where it has none', async (t) => {
  const { feed, feedNext, processes } = feedOf(t)
  const jobs = Array.from({ length: 40 }, feedNext)
  await settled(jobs)
  for (const job of jobs.slice(5)) {
    t.equal(job.state, 'done')
    t.ok(job.samples.subarray(80, 160).every((sample) => sample === 0))
    t.ok(toneShare(job.samples.subarray(0, 80), 440) > 0.5)
    t.ok(toneShare(job.samples.subarray(160), 440) > 0.5)
  }
  t.equal(processes.running, 1)
  await feed.close()
  t.equal(processes.running, 0)
  t.same(decoderProcessIds(), [])
  t.same(processes.counters, { started: 1, died: 0, restarted: 0, refused: 0 })
})

t.test('a process that is killed is replaced, and nothing that it owed is lost', async (t) => {
  const { feedNext, processes } = feedOf(t)
  await settled([feedNext()])
  const [pid = 0] = decoderProcessIds()
  process.kill(pid, 'SIGSTOP')
  const owed = Array.from({ length: 10 }, feedNext)
  process.kill(pid, 'SIGKILL')
  await settled(owed)
  t.ok(owed.every(({ state }) => state === 'done'))
  const later = feedNext()
  await settled([later])
  t.equal(later.state, 'done')
  t.same(processes.counters, { started: 2, died: 1, restarted: 1, refused: 0 })
})

t.test('a process that hangs is killed and replaced', async (t) => {
  const { feed, feedNext, processes } = feedOf(t)
  await settled([feedNext()])
  const [pid = 0] = decoderProcessIds()
  process.kill(pid, 'SIGSTOP')
  const job = feedNext()
  feed.watch(job.fedAtMs + 1000)
  t.equal(processes.counters.died, 0)
  feed.watch(job.fedAtMs + 1600)
  await settled([job])
  t.equal(job.state, 'done')
  t.same(processes.counters, { started: 2, died: 1, restarted: 1, refused: 0 })
})

t.test('where there is no room for a process its payloads fail at once', async (t) => {
  for (const room of [{ most: 0 }, { limit: 100 }]) {
    const { feedNext, processes } = feedOf(t, room)
    t.equal(feedNext().state, 'failed')
    t.same(processes.counters, { started: 0, died: 0, restarted: 0, refused: 1 })
  }
})

t.test('a process that falls behind is given no more than it can hold', async (t) => {
  const { feed, feedNext, processes } = feedOf(t)
  await settled([feedNext()])
  const [pid = 0] = decoderProcessIds()
  process.kill(pid, 'SIGSTOP')
  const jobs = Array.from({ length: 600 }, feedNext)
  t.equal(jobs.filter(({ state }) => state === 'failed').length, 100)
  process.kill(pid, 'SIGCONT')
  await settled(jobs)
  t.equal(jobs.filter(({ state }) => state === 'done').length, 500)
  await feed.close()
  t.equal(processes.running, 0)
})

t.test('frames of noise give as many samples as those of speech', async (t) => {
  const clock = new SystemClock()
  const files = new FileBudget({ clock })
  const processes = new FilterProcesses({ most: 8, files, clock })
  const speechBits = { AMR: [95, 159, 244], 'AMR-WB': [132, 253, 477] }
  let seed = 1
  const noise = (length: number) =>
    Uint8Array.from({ length }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed >> 16
    })
  for (const kind of Object.values(FILTER_KINDS).flat()) {
    const frameOf = (index: number) => {
      const isAmr = kind.name === 'AMR' || kind.name === 'AMR-WB'
      if (!isAmr) return noise(kind.frameBytes)
      const mode = index % 3
      const bits = speechBits[kind.name === 'AMR' ? 'AMR' : 'AMR-WB'][mode] ?? 0
      const frameType = [0, kind.name === 'AMR' ? 5 : 2, kind.name === 'AMR' ? 7 : 8][mode] ?? 0
      return Uint8Array.of((frameType << 3) | 4, ...noise(Math.ceil(bits / 8)))
    }
    const feed = new FilterFeed({ kind, processes, clock, onSettled: () => {} })
    const jobs = Array.from({ length: 200 }, (_, index) => {
      const frame = frameOf(index)
      // A frame of another codec is refused before it comes here.
      if (kind.name === 'GSM') frame[0] = 0xd0
      return new DecodeJob({ kind, frames: [frame] })
    })
    for (const job of jobs) feed.feed(job)
    await settled(jobs)
    t.ok(
      jobs.every(({ state }) => state === 'done'),
      kind.name,
    )
    await feed.close()
  }
  t.same(processes.counters, { started: 6, died: 0, restarted: 0, refused: 0 })
})
