import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { crc32 } from '../../storage/crc32.ts'
import { decodeLine, encodeRecord } from '../../storage/journal-record.ts'
import {
  countLines,
  listSegments,
  makeJournalFolder,
  SegmentReader,
  segmentName,
} from '../../storage/journal-segment.ts'
import { wholeCall } from './journal-entries.ts'

const records = wholeCall({ agent: 'Ämmälä\n😀' }).entries.map((entry, index) => ({
  sequence: index + 1,
  appendedAtMs: 1_768_465_800_123 + index,
  entry,
}))
const bytes = Buffer.concat(records.map(encodeRecord))

async function readAll(folder: string) {
  const reader = new SegmentReader(folder, 1)
  const lines = []
  for (;;) {
    const next = await reader.next(Number.MAX_SAFE_INTEGER)
    if (next.length === 0) break
    lines.push(...next)
  }
  const tornBytes = await reader.tornBytes()
  await reader.close()
  return { decoded: lines.map(({ decoded }) => decoded), tornBytes }
}

t.test('the checksum is the well-known CRC-32', (t) => {
  t.equal(crc32(Buffer.from('123456789')), 0xcbf43926)
  t.equal(crc32(Buffer.alloc(0)), 0)
  t.end()
})

t.test('a record is a line that reads back as itself', (t) => {
  for (const record of records) {
    const line = encodeRecord(record)
    t.equal(line.indexOf('\n'), line.length - 1)
    t.strictSame(decodeLine(line.subarray(0, -1)), { kind: 'record', record })
  }
  t.end()
})

t.test('metadata that came later is an entry as well', (t) => {
  const entry = {
    kind: 'metadata.received',
    documentId: newId(),
    contactId: newId(),
    receivedAtMs: 1_768_465_800_000,
    document: '<recording/>',
  } as const
  const record = { sequence: 1, appendedAtMs: 1_768_465_800_123, entry }
  t.strictSame(decodeLine(encodeRecord(record).subarray(0, -1)), { kind: 'record', record })
  t.end()
})

t.test('a segment cut at any byte gives its whole records', async (t) => {
  const folder = t.testdir()
  for (let length = 0; length <= bytes.length; length++) {
    writeFileSync(join(folder, segmentName(1)), bytes.subarray(0, length))
    const { decoded, tornBytes } = await readAll(folder)
    const whole = bytes.subarray(0, length).lastIndexOf('\n') + 1
    const expected = records.slice(0, decoded.length)
    if (
      tornBytes !== length - whole ||
      JSON.stringify(decoded) !==
        JSON.stringify(expected.map((record) => ({ kind: 'record', record })))
    ) {
      t.fail(`cut at ${length}`)
    }
  }
  t.pass(`${bytes.length} lengths`)
})

t.test('a changed byte makes its line bad and no other', async (t) => {
  const folder = t.testdir()
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ flip
        writeFileSync(join(folder, segmentName(1)), changed)
        const { decoded } = await readAll(folder)
        const good = decoded.filter(({ kind }) => kind === 'record')
        // A line end that is lost or won joins or splits lines.
        t.ok(good.length >= records.length - 2 && good.length < records.length)
      },
    ),
  )
})

t.test('no bytes make a line throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (line) => {
      t.equal(decodeLine(Buffer.from(line)).kind, 'bad')
    }),
  )
  const body = Buffer.from('1 2 {"kind":"contact.vanished"}')
  const line = Buffer.concat([Buffer.from(`${crc32(body).toString(16).padStart(8, '0')} `), body])
  t.same(decodeLine(line), { kind: 'bad', reason: 'no entry that this program knows' })
  t.end()
})

t.test('a segment without line ends is passed over', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, segmentName(1)), Buffer.alloc(3_000_000))
  const { decoded, tornBytes } = await readAll(folder)
  t.same(decoded, [{ kind: 'bad', reason: 'no line end' }])
  t.equal(tornBytes, 3_000_000 - 2_097_152)
})

t.test('segments are listed by number and counted by line', async (t) => {
  const folder = join(t.testdir(), 'journal')
  makeJournalFolder(folder)
  t.same(listSegments(folder), [])
  for (const segment of [12, 9, 100]) writeFileSync(join(folder, segmentName(segment)), bytes)
  writeFileSync(join(folder, 'notes.txt'), '')
  t.same(listSegments(folder), [9, 12, 100])
  t.equal(await countLines(folder, 9), records.length)
  t.equal(readdirSync(folder).length, 4)
  t.equal(readFileSync(join(folder, segmentName(9))).length, bytes.length)
})
