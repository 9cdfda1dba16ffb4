import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SystemClock } from '../base/clock.ts'
import { createSilentLog } from '../base/log.ts'
import { newId } from '../base/uuid.ts'
import { OggOpusWriter } from '../recorder/ogg-opus-writer.ts'
import { FileJournal } from '../storage/contact-journal.ts'
import { connectDatabase, type DatabaseSettings } from '../storage/database.ts'
import { spoolPathOf } from '../storage/recording-store.ts'
import { MemorySink } from '../test/recorder/memory-sink.ts'
import { contactStarted } from '../test/storage/journal-entries.ts'

const SLOTS_PER_SECOND = 50
/** 12 kbit/s a party. */
const PACKET_BYTES = 30
/** Of a batch. */
const SLOTS_PER_PAGE = 5

export interface LeftBehindOptions {
  readonly dataPath: string
  readonly database: DatabaseSettings
  readonly recordings: number
  readonly seconds: number
}

/**
 * Lays down what a gateway leaves that is killed with calls up: for each a journal that nobody carried, and a file in
 * the spool that ends anywhere within a page. Returns the files' paths.
 */
export async function leaveBehind(options: LeftBehindOptions): Promise<readonly string[]> {
  const { dataPath, database, recordings, seconds } = options
  const spool = join(dataPath, 'spool')
  mkdirSync(spool, { recursive: true, mode: 0o700 })
  const journal = new FileJournal({
    folder: join(dataPath, 'journal'),
    connect: (timing) => connectDatabase(database, timing),
    clock: new SystemClock(),
    log: createSilentLog(),
  })
  const bytes = openFile(seconds)
  const paths: string[] = []
  for (let index = 0; index < recordings; index++) {
    const startedAtMs = Date.now() - seconds * 1000
    const started = contactStarted({ startedAtMs, serviceLine: 'asiakastuki' })
    const { contactId } = started
    const recordingId = newId()
    journal.append(started)
    journal.append({ kind: 'contact.answered', contactId, answeredAtMs: startedAtMs })
    journal.append({ kind: 'recording.started', recordingId, contactId, startedAtMs })
    const path = spoolPathOf(spool, recordingId)
    writeFileSync(path, bytes.subarray(0, bytes.length - randomInt(500)), { mode: 0o600 })
    paths.push(path)
  }
  await journal.close({ drainMs: 0 })
  return paths
}

/** A recording without its end. */
function openFile(seconds: number): Uint8Array {
  const sink = new MemorySink()
  const writer = new OggOpusWriter({
    sink,
    serial: randomInt(2 ** 32),
    comments: [],
    inputSampleRate: 8000,
    slotsPerPage: SLOTS_PER_PAGE,
  })
  // SILK, narrowband, 20 ms, one frame (RFC 6716 §3.1): the rest is what a decoder would make of anything.
  const packet = () => Buffer.concat([Buffer.of(1 << 3), randomBytes(PACKET_BYTES)])
  for (let slot = 0; slot < seconds * SLOTS_PER_SECOND; slot++) writer.append(packet(), packet())
  return sink.bytes
}
