import {
  chmodSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { contactStarted, recordingEnded, wholeCall } from '../storage/journal-entries.ts'
import { until } from '../until.ts'
import { startTestPortal } from './portal.ts'

const portal = await startTestPortal()
t.teardown(() => portal.close())
const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index * 7) % 251))
const { recordingId, sha256, path } = await portal.addRecording(bytes)
const audio = `/api/recordings/${recordingId}/audio`

async function get(range: string, headers: Record<string, string> = {}) {
  const response = await portal.ask(audio, { headers: { range, ...headers } })
  return { response, body: Buffer.from(await response.arrayBuffer()) }
}

t.test('the whole recording is served with what a client needs to ask for parts', async (t) => {
  const response = await portal.ask(audio)
  t.equal(response.status, 200)
  t.match(Object.fromEntries(response.headers), {
    'content-type': 'audio/ogg; codecs=opus',
    'content-length': '10000',
    'accept-ranges': 'bytes',
    etag: `"${sha256}"`,
    'last-modified': new Date(statSync(path).mtimeMs).toUTCString(),
    'content-disposition': `inline; filename="${recordingId}.opus"`,
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
  })
  t.ok(Buffer.from(await response.arrayBuffer()).equals(bytes))
})

t.test('HEAD tells the same without the audio, and knows no ranges', async (t) => {
  for (const headers of [{}, { range: 'bytes=0-9' }, { range: 'bytes=99999-' }]) {
    const response = await portal.ask(audio, { method: 'HEAD', headers })
    t.equal(response.status, 200)
    t.equal(response.headers.get('content-length'), '10000')
    t.equal(response.headers.get('etag'), `"${sha256}"`)
    t.equal(response.headers.get('content-range'), null)
    t.equal((await response.arrayBuffer()).byteLength, 0)
  }
  const unchanged = await portal.ask(audio, {
    method: 'HEAD',
    headers: { 'if-none-match': `"${sha256}"` },
  })
  t.equal(unchanged.status, 304)
})

t.test('one range is 206 with exactly its bytes', async (t) => {
  for (const [range, first, last] of [
    ['bytes=0-0', 0, 0],
    ['bytes=100-199', 100, 199],
    ['bytes=9000-', 9000, 9999],
    ['bytes=-500', 9500, 9999],
    ['bytes=-99999', 0, 9999],
    ['bytes=9990-20000', 9990, 9999],
    ['bytes=0-9,5-20', 0, 20],
  ] as const) {
    const { response, body } = await get(range)
    t.equal(response.status, 206, range)
    t.equal(response.headers.get('content-range'), `bytes ${first}-${last}/10000`)
    t.equal(response.headers.get('content-length'), String(last - first + 1))
    t.equal(response.headers.get('content-type'), 'audio/ogg; codecs=opus')
    t.ok(body.equals(bytes.subarray(first, last + 1)), range)
  }
})

t.test('several ranges are parts of one answer', async (t) => {
  const { response, body } = await get('bytes=0-9, 5000-5099, -10')
  t.equal(response.status, 206)
  t.equal(response.headers.get('content-range'), null)
  t.equal(response.headers.get('content-length'), String(body.length))
  const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{32})$/.exec(
    response.headers.get('content-type') ?? '',
  )?.[1]
  t.ok(boundary)
  const part = (first: number, last: number) =>
    Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Type: audio/ogg; codecs=opus\r\nContent-Range: bytes ${first}-${last}/10000\r\n\r\n`,
      ),
      bytes.subarray(first, last + 1),
      Buffer.from('\r\n'),
    ])
  const expected = [
    part(0, 9),
    part(5000, 5099),
    part(9990, 9999),
    Buffer.from(`--${boundary}--\r\n`),
  ]
  t.ok(body.equals(Buffer.concat(expected)))
})

t.test('a range beyond the end is 416 with the length', async (t) => {
  for (const range of ['bytes=10000-', 'bytes=-0', 'bytes=20000-30000, 10001-']) {
    const { response, body } = await get(range)
    t.equal(response.status, 416, range)
    t.equal(response.headers.get('content-range'), 'bytes */10000')
    t.match(response.headers.get('content-type'), /^application\/problem\+json/)
    t.match(JSON.parse(body.toString()), { code: 'range_unsatisfiable', detail: /10000 bytes/ })
  }
})

t.test('a malformed range, and one of another unit, get the whole', async (t) => {
  for (const range of ['bytes=9-5', 'items=0-1', 'bytes=a', '', 'bytes=0-1-2']) {
    const { response, body } = await get(range)
    t.equal(response.status, 200, range)
    t.equal(body.length, 10_000)
  }
})

t.test('If-Range gives the range while the version is the same, else the whole', async (t) => {
  const modified = new Date(statSync(path).mtimeMs).toUTCString()
  for (const current of [`"${sha256}"`, modified]) {
    t.equal((await get('bytes=0-9', { 'if-range': current })).response.status, 206, current)
  }
  for (const old of ['"other"', `W/"${sha256}"`, 'Thu, 01 Jan 2026 00:00:00 GMT', 'rubbish']) {
    const { response, body } = await get('bytes=0-9', { 'if-range': old })
    t.equal(response.status, 200, old)
    t.equal(body.length, 10_000)
  }
})

t.test(
  'a client that has it already is told so, and one that wants another version too',
  async (t) => {
    const unchanged = await portal.ask(audio, {
      headers: { 'if-none-match': `"x", W/"${sha256}"` },
    })
    t.equal(unchanged.status, 304)
    t.equal(unchanged.headers.get('etag'), `"${sha256}"`)
    t.equal(await unchanged.text(), '')
    const failed = await portal.ask(audio, { headers: { 'if-match': '"other"' } })
    t.equal(failed.status, 412)
    t.match(await failed.json(), { code: 'precondition_failed' })
  },
)

t.test('a recording of no bytes is served as such', async (t) => {
  const empty = await portal.addRecording(Buffer.alloc(0))
  const where = `/api/recordings/${empty.recordingId}/audio`
  const whole = await portal.ask(where)
  t.equal(whole.status, 200)
  t.equal(whole.headers.get('content-length'), '0')
  t.equal((await portal.ask(where, { headers: { range: 'bytes=0-' } })).status, 416)
})

t.test('an unknown recording is 404, whatever its id looks like', async (t) => {
  for (const id of [newId(), 'x', '..%2F..%2Fetc%2Fpasswd', '%00', recordingId.toUpperCase()]) {
    const response = await portal.ask(`/api/recordings/${id}/audio`)
    t.equal(response.status, 404, id)
    t.match(await response.json(), { code: 'recording_unknown' })
  }
})

t.test('a call that is still being recorded is 409', async (t) => {
  const call = wholeCall()
  await portal.apply(call.entries.slice(0, 4))
  const response = await portal.ask(`/api/recordings/${call.recordingId}/audio`)
  t.equal(response.status, 409)
  t.match(await response.json(), { code: 'recording_in_progress', state: 'recording' })
})

t.test('a recording that failed without a file is 404 with its reasons', async (t) => {
  const started = contactStarted()
  const id = newId()
  await portal.apply([
    started,
    {
      kind: 'recording.started',
      recordingId: id,
      contactId: started.contactId,
      startedAtMs: started.startedAtMs,
    },
    recordingEnded(started.contactId, id, {
      state: 'failed',
      reasons: ['no_media'],
      bytes: 0,
      sha256: null,
    }),
  ])
  const response = await portal.ask(`/api/recordings/${id}/audio`)
  t.equal(response.status, 404)
  t.match(await response.json(), { code: 'no_audio', state: 'failed', reasons: ['no_media'] })
})

t.test('a deleted recording is 410 and says when and by which policy', async (t) => {
  const gone = await portal.addRecording(bytes)
  const where = `/api/recordings/${gone.recordingId}/audio`
  await portal.pool.query(
    "UPDATE recordings SET state = 'deleting', deleting_at = '2026-03-15 09:00:00' WHERE id = ?",
    [gone.recordingId],
  )
  const going = await portal.ask(where)
  t.equal(going.status, 410)
  t.match(await going.json(), { code: 'recording_deleted', state: 'deleting', deletedAt: null })
  await portal.pool.query(
    `UPDATE recordings SET state = 'deleted', deleted_at = '2026-03-15 09:00:01.500', deleted_by_policy = 1
     WHERE id = ?`,
    [gone.recordingId],
  )
  const response = await portal.ask(where)
  t.equal(response.status, 410)
  t.match(await response.json(), {
    code: 'recording_deleted',
    state: 'deleted',
    serviceLine: 'asiakastuki',
    deletedAt: '2026-03-15T09:00:01.500Z',
    period: 'P2M',
    policyVersion: 1,
    detail:
      'The recording was deleted at 2026-03-15T09:00:01.500Z by the policy of service line asiakastuki, version 1: recordings are kept for P2M from the end of the call.',
  })
})

t.test(
  'a file that is gone or cannot be read is 500 and counted, and the portal goes on',
  async (t) => {
    const missing = await portal.addRecording(bytes)
    rmSync(missing.path)
    const response = await portal.ask(`/api/recordings/${missing.recordingId}/audio`)
    t.equal(response.status, 500)
    t.match(await response.json(), { code: 'file_missing' })
    t.equal(await portal.metric('tallenne_portal_audio_failures_total{reason="file_missing"}'), 1)

    const unreadable = await portal.addRecording(bytes)
    rmSync(unreadable.path)
    // The superuser may read any file, but nobody can read a loop of links.
    if (process.getuid?.() === 0) {
      symlinkSync(unreadable.path, unreadable.path)
    } else {
      writeFileSync(unreadable.path, bytes)
      chmodSync(unreadable.path, 0)
    }
    const refused = await portal.ask(`/api/recordings/${unreadable.recordingId}/audio`)
    t.equal(refused.status, 500)
    t.match(await refused.json(), { code: 'file_unreadable' })
    t.equal(
      await portal.metric('tallenne_portal_audio_failures_total{reason="file_unreadable"}'),
      1,
    )
    t.equal((await portal.ask(audio)).status, 200)
  },
)

t.test('a file that lost its end is served without a tag, and counted', async (t) => {
  const cut = await portal.addRecording(bytes)
  truncateSync(cut.path, 5000)
  const response = await portal.ask(`/api/recordings/${cut.recordingId}/audio`)
  t.equal(response.status, 200)
  t.equal(response.headers.get('etag'), null)
  t.equal((await response.arrayBuffer()).byteLength, 5000)
  t.equal(await portal.metric('tallenne_portal_audio_failures_total{reason="size_differs"}'), 1)
})

t.test('a format that there is not is 400', async (t) => {
  const response = await portal.ask(`${audio}?format=flac`)
  t.equal(response.status, 400)
  t.match(await response.json(), {
    parameters: [{ parameter: 'format', found: 'flac', expected: 'one of ogg, webm, mp3, wav' }],
  })
})

t.test(
  'a client that leaves closes the file, and one that reads slowly holds no memory',
  async (t) => {
    const large = await portal.addRecording(Buffer.alloc(64 * 1_048_576, 1))
    const before = process.memoryUsage().arrayBuffers
    const client = await portal.openAndPause(`/api/recordings/${large.recordingId}/audio`)
    t.ok(process.memoryUsage().arrayBuffers - before < 32 * 1_048_576)
    t.ok(isOpen(large.path))
    client.destroy()
    await until(() => !isOpen(large.path))
    t.pass('the file is closed')
  },
)

t.test('whatever Range and conditions say, the answer is of the client’s doing', async (t) => {
  const headerText = fc.stringMatching(/^[\x21-\x7e][\x20-\x7e]{0,60}$/)
  const range = fc.oneof(
    headerText,
    headerText.map((text) => `bytes=${text}`),
    fc
      .array(fc.tuple(fc.nat(12_000), fc.nat(12_000)), { minLength: 1, maxLength: 18 })
      .map(
        (pairs) =>
          `bytes=${pairs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).join(',')}`,
      ),
  )
  await fc.assert(
    fc.asyncProperty(
      range,
      fc.option(headerText),
      fc.option(headerText),
      async (header, match, ifRange) => {
        const { response, body } = await get(header, {
          ...(match === null ? {} : { 'if-none-match': match }),
          ...(ifRange === null ? {} : { 'if-range': ifRange }),
        })
        t.ok([200, 206, 304, 416].includes(response.status), header)
        const length = response.headers.get('content-length')
        if (response.status !== 304 && length !== String(body.length)) t.fail(header)
      },
    ),
    { numRuns: 150 },
  )
})

function isOpen(file: string): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === file
    } catch {
      return false
    }
  })
}
