import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { OggOpusWriter } from '../../recorder/ogg-opus-writer.ts'
import { repairOggOpus } from '../../recorder/ogg-repair.ts'
import { OggScan } from '../../recorder/ogg-scan.ts'
import { createVoiceEncoder } from '../../recorder/opus-encoder.ts'
import { sha256 } from '../sha256.ts'
import { MemorySink } from './memory-sink.ts'
import { decodeOpus, opusInfo } from './opus-file.ts'
import { tone } from './tones.ts'

const SLOTS_PER_PAGE = 5

/** A file of so many slots, with its end or without. */
function recorded(slots: number, { isFinished }: { readonly isFinished: boolean }): MemorySink {
  const sink = new MemorySink()
  const writer = new OggOpusWriter({
    sink,
    serial: 7,
    comments: ['RECORDING_ID=r1'],
    inputSampleRate: 8000,
    slotsPerPage: SLOTS_PER_PAGE,
  })
  const first = createVoiceEncoder({ complexity: 0, bitrateBps: 16_000 })
  const second = createVoiceEncoder({ complexity: 0, bitrateBps: 16_000 })
  for (let slot = 0; slot < slots; slot++) {
    writer.append(
      first.encode(Buffer.from(tone(500, slot * 160, 160).buffer)),
      second.encode(Buffer.from(tone(900, slot * 160, 160).buffer)),
    )
  }
  if (isFinished) writer.finish((slots - 1) * 960)
  return sink
}

t.test('a file cut anywhere plays up to its last whole page', async (t) => {
  const sink = recorded(45, { isFinished: false })
  const whole = sink.bytes
  const ends: number[] = []
  for (const page of sink.pages) ends.push((ends.at(-1) ?? 0) + page.length)
  let wrong = 0
  for (let cut = 0; cut <= whole.length; cut++) {
    const scan = new OggScan(() => {})
    scan.push(whole.subarray(0, cut))
    const pages = ends.filter((end) => end <= cut).length
    const audioPages = Math.max(0, pages - 2)
    const expectedMs = audioPages === 0 ? 0 : (audioPages * SLOTS_PER_PAGE * 960 - 312) / 48
    const bytes = scan.last === undefined ? 0 : scan.last.offset + scan.last.page.length
    if (bytes !== (audioPages === 0 ? 0 : ends[pages - 1]) || scan.durationMs !== expectedMs) {
      wrong++
    }
  }
  t.equal(wrong, 0)
})

t.test('bytes given one at a time are read the same', async (t) => {
  const whole = recorded(25, { isFinished: true }).bytes
  const hash = createHash('sha256')
  const scan = new OggScan((bytes) => hash.update(bytes))
  for (const byte of whole) scan.push(Uint8Array.of(byte))
  t.equal(scan.last?.isEnd, true)
  t.equal(scan.durationMs, 24 * 20)
  t.equal(hash.update(scan.last?.page ?? '').digest('hex'), sha256(whole))
})

t.test('a file that a crash left is given its end and stays playable', async (t) => {
  const path = join(t.testdir(), 'left.opus')
  const { bytes } = recorded(45, { isFinished: false })
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(4096)]))
  const repaired = await repairOggOpus(path)
  const file = readFileSync(path)
  t.match(repaired, {
    durationMs: 40 * 20 - 6.5,
    bytes: file.length,
    sha256: sha256(file),
    isChanged: true,
  })
  t.equal(decodeOpus(file).caller.length, (40 * 20 - 6.5) * 48)
  t.notMatch(opusInfo(file), /WARNING/)
  t.same(
    await repairOggOpus(path),
    { ...repaired, isChanged: false },
    'a second repair changes nothing',
  )
})

t.test('a finished file is left alone, and what follows its end is cut off', async (t) => {
  const path = join(t.testdir(), 'finished.opus')
  const { bytes } = recorded(31, { isFinished: true })
  writeFileSync(path, bytes)
  t.match(await repairOggOpus(path), { durationMs: 600, isChanged: false, sha256: sha256(bytes) })
  writeFileSync(path, Buffer.concat([bytes, bytes]))
  t.match(await repairOggOpus(path), { durationMs: 600, isChanged: true, bytes: bytes.length })
  t.same(readFileSync(path), bytes)
})

t.test('a page whose bytes are wrong ends the file before it', async (t) => {
  const path = join(t.testdir(), 'wrong.opus')
  const sink = recorded(45, { isFinished: false })
  const { bytes } = sink
  const last = sink.pages.at(-1) ?? new Uint8Array(0)
  const at = bytes.length - last.length + 40
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
  t.match(await repairOggOpus(path), { durationMs: 35 * 20 - 6.5 })
})

t.test('a file without a page of audio cannot be repaired', async (t) => {
  const path = join(t.testdir(), 'empty.opus')
  for (const content of [
    Buffer.alloc(0),
    Buffer.from('not an Ogg file at all'),
    recorded(5, { isFinished: false }).bytes,
  ]) {
    writeFileSync(path, content)
    t.equal(await repairOggOpus(path), undefined)
    t.same(readFileSync(path), content)
  }
})
