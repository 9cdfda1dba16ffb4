import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { type TranscodeFormat, Transcoder } from '../../portal/transcode.ts'
import { until } from '../until.ts'
import { startTestPortal, TOKEN } from './portal.ts'
import { leftPeak, type ToneLevels, toneLevels } from './tone-levels.ts'
import { agentAlone, twoParties } from './two-parties.ts'

const portal = await startTestPortal({ maxTranscodes: 1, longestTranscodeS: 20 })
t.teardown(() => portal.close())
const short = await portal.addRecording(twoParties(4))
// Longer as WAV than what connections buffer, so that ffmpeg waits for its reader.
const long = await portal.addRecording(twoParties(400))

function audio(recordingId: string, format: string) {
  return `/api/recordings/${recordingId}/audio?format=${format}`
}

function isApart({ left, right }: ToneLevels): boolean {
  return left.callerDb > -25 && left.agentDb < -70 && right.agentDb > -25 && right.callerDb < -70
}

t.test('each format holds the whole call, the caller left and the agent right', async (t) => {
  for (const [format, type] of [
    ['webm', 'audio/webm; codecs=opus'],
    ['mp3', 'audio/mpeg'],
    ['wav', 'audio/wav'],
  ] as const) {
    const response = await portal.ask(audio(short.recordingId, format))
    t.equal(response.status, 200)
    t.match(Object.fromEntries(response.headers), {
      'content-type': type,
      'accept-ranges': 'none',
      'cache-control': 'private, no-store',
      'content-disposition': `inline; filename="${short.recordingId}.${format}"`,
    })
    const levels = await toneLevels(Buffer.from(await response.arrayBuffer()))
    t.ok(isApart(levels), `${format}: ${JSON.stringify(levels)}`)
    t.ok(Math.abs(levels.seconds - 4) < 0.15, `${format} lasts ${levels.seconds} s`)
    t.equal(
      await portal.metric(
        `tallenne_portal_transcodes_total{format="${format}",outcome="complete"}`,
      ),
      1,
    )
  }
  t.equal(await portal.metric('tallenne_portal_transcodes_running'), 0)
})

t.test('a party who says nothing is silent in each format, however the other speaks', async (t) => {
  const quiet = await portal.addRecording(agentAlone(20))
  for (const format of ['webm', 'mp3', 'wav']) {
    const response = await portal.ask(audio(quiet.recordingId, format))
    const peak = await leftPeak(Buffer.from(await response.arrayBuffer()))
    t.ok(peak < 10, `${format}: ${peak} of 32767`)
  }
})

t.test('HEAD starts nothing and tells the type', async (t) => {
  const response = await portal.ask(audio(short.recordingId, 'wav'), { method: 'HEAD' })
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'audio/wav')
  t.equal(response.headers.get('content-length'), null)
  t.equal(children().length, 0)
})

t.test('one too many is 503, and a client that leaves takes its ffmpeg along', async (t) => {
  const slow = await portal.openAndPause(audio(long.recordingId, 'wav'))
  t.equal(children().length, 1)
  t.equal(await portal.metric('tallenne_portal_transcodes_running'), 1)
  const refused = await portal.ask(audio(short.recordingId, 'mp3'))
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '5')
  t.match(await refused.json(), { code: 'transcoder_busy' })
  t.equal((await portal.ask(`/api/recordings/${short.recordingId}/audio`)).status, 200)

  slow.destroy()
  await until(() => children().length === 0)
  await until(
    async () =>
      (await portal.metric('tallenne_portal_transcodes_total{format="wav",outcome="aborted"}')) ===
      1,
  )
  t.equal((await portal.ask(audio(short.recordingId, 'mp3'))).status, 200)
})

t.test('a client that leaves before ffmpeg has started leaves nothing behind', async (t) => {
  const client = request(`${portal.url}${audio(long.recordingId, 'wav')}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  })
  client.on('error', () => {})
  client.end()
  await until(async () => (await portal.metric('tallenne_portal_transcodes_running')) === 1)
  client.destroy()
  await until(async () => (await portal.metric('tallenne_portal_transcodes_running')) === 0)
  await until(() => children().length === 0)
  t.pass('ffmpeg has ended')
})

t.test('a file that is no audio is 500 and says so', async (t) => {
  const rubbish = await portal.addRecording(Buffer.alloc(5000, 7))
  const response = await portal.ask(audio(rubbish.recordingId, 'webm'))
  t.equal(response.status, 500)
  t.match(await response.json(), { code: 'transcode_failed' })
  t.equal(
    await portal.metric('tallenne_portal_transcodes_total{format="webm",outcome="failed"}'),
    1,
  )
})

t.test('a recording that was cut off plays up to where it was cut', async (t) => {
  const whole = twoParties(4)
  const cut = await portal.addRecording(whole.subarray(0, whole.length >> 1))
  const response = await portal.ask(audio(cut.recordingId, 'mp3'))
  t.equal(response.status, 200)
  const { seconds } = await toneLevels(Buffer.from(await response.arrayBuffer()))
  t.ok(seconds > 0.9 && seconds < 3, `${seconds} s`)
})

t.test('one that takes too long is ended, and its result fails instead of ending', async (t) => {
  const outcomes: string[] = []
  const transcoder = new Transcoder({ maxRunning: 1, longestS: 0.5, onRunning: () => {} })
  const result = transcode(transcoder, readFileSync(long.path), {
    format: 'wav',
    onEnded: (outcome) => outcomes.push(outcome),
  })
  await until(() => outcomes.length === 1)
  t.same(outcomes, ['failed'])
  await t.rejects(buffer(result), { code: 'transcode_failed' })
  t.equal(transcoder.isFull, false)
})

t.test('a source that fails makes the result fail', async (t) => {
  const outcomes: string[] = []
  const transcoder = new Transcoder({ maxRunning: 1, longestS: 20, onRunning: () => {} })
  const source = Readable.from(
    (async function* () {
      yield readFileSync(short.path).subarray(0, 4000)
      throw new Error('the disk went away')
    })(),
    { objectMode: false },
  )
  const result = transcoder.transcode(source, {
    format: 'mp3',
    onEnded: (outcome) => outcomes.push(outcome),
  })
  await t.rejects(buffer(result), { code: 'transcode_failed' })
  t.same(outcomes, ['failed'])
})

function transcode(
  transcoder: Transcoder,
  file: Buffer,
  options: { format: TranscodeFormat; onEnded: (outcome: string) => void },
) {
  const result = transcoder.transcode(Readable.from([file], { objectMode: false }), options)
  // Asks for the first of it, and then waits, as a client does whose line is slow.
  result.read()
  return result
}

/** Processes that this one has started and not yet seen end, the database aside. */
function children(): readonly string[] {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'ffmpeg'
    } catch {
      return false
    }
  })
}
