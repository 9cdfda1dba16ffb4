import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { FileEncryption } from '../recorder/page-sink.ts'
import type { ReasonCode, RecordingOutcome } from '../recorder/recording-plan.ts'
import type { ContactJournal } from '../storage/model.ts'
import type { UnfinishedContact } from '../storage/unfinished-contacts.ts'
import { recordingEndedEntry } from './calls/contact-record.ts'
import { finishRecording } from './calls/finish-recording.ts'
import type { RecordingFiles } from './calls/recording-files.ts'
import type { LostRecording } from './media/direct-plane.ts'

/** What repair found in a spool file. */
export interface SalvagedFile {
  readonly durationMs: number
  readonly bytes: number
  readonly sha256: string
  /** Absent where the file is the audio itself. */
  readonly encryption?: FileEncryption
}

export interface CrashRecoveryOptions {
  /** Ids of the recordings that lay in the spool when the process started. */
  readonly spooled: readonly string[]
  /** The node's contacts without an end from before the start; rejects where the database is away. */
  readonly findUnfinished: () => Promise<readonly UnfinishedContact[]>
  /**
   * Cuts what is left in the spool to its last whole page, or reads what is in the store already; undefined where there
   * is nothing that can be played.
   */
  readonly repair: (recordingId: string) => Promise<SalvagedFile | undefined>
  readonly files: RecordingFiles
  readonly journal: ContactJournal
  readonly clock: Clock
  readonly log: Log
}

/** How many files are repaired at a time: the disk is busy with few, and calls come in meanwhile. */
const PARALLEL = 4

/**
 * Ends what a crash left: repairs the spool's files, moves them to the store, and gives each recording and contact
 * of the node its verdict and end. Calls that come in meanwhile are not touched. Tells how many contacts have to wait
 * for a store that does not answer, since what is to be judged lies there.
 */
export async function recoverFromCrash(options: CrashRecoveryOptions): Promise<number> {
  const { spooled, findUnfinished, journal, log } = options
  const contacts = await findUnfinished()
  const left = new Set(spooled)
  let waiting = 0
  await inParallel(contacts, async (contact) => {
    try {
      const endedAtMs = await closeContact(contact, left, options)
      for (const segmentId of contact.segmentIds) {
        journal.append({ kind: 'segment.ended', segmentId, endedAtMs })
      }
      if (contact.hasEnded) return
      journal.append({
        kind: 'contact.ended',
        contactId: contact.contactId,
        endedAtMs,
        endReason: 'crash',
      })
    } catch (error) {
      if (isHung(error)) waiting++
      else
        log.error(
          { contactId: contact.contactId, reason: messageOf(error) },
          'contact not recovered',
        )
    }
  })
  await inParallel([...left], (recordingId) => keepOrphan(recordingId, options))
  if (contacts.length + spooled.length > 0) {
    log.warn(
      { contacts: contacts.length - waiting, files: spooled.length, orphans: left.size, waiting },
      'recovered what the last run left unfinished',
    )
  }
  return waiting
}

function isHung(error: unknown): boolean {
  return error instanceof TallenneError && error.code === 'disk_hung'
}

/** Gives the contact's recordings their verdicts, and tells when the contact ended as far as can be known. */
async function closeContact(
  contact: UnfinishedContact,
  left: Set<string>,
  options: CrashRecoveryOptions,
): Promise<number> {
  const { answeredAtMs, startedAtMs: contactStartedAtMs, judgedUntilMs } = contact
  let endedAtMs = Math.max(answeredAtMs ?? contactStartedAtMs, judgedUntilMs ?? 0)
  for (const { recordingId, startedAtMs } of contact.recordings) {
    left.delete(recordingId)
    const salvaged = await options.repair(recordingId)
    const { outcome, file } = await finishRecording(
      salvagedOutcome({ recordingId, startedAtMs }, salvaged),
      options,
    )
    options.journal.append(recordingEndedEntry(contact.contactId, outcome, { file }))
    endedAtMs = Math.max(endedAtMs, startedAtMs + outcome.durationMs)
  }
  return endedAtMs
}

/** The verdict on a recording whose process or engine died: what is in the file is good, and it is not all. */
export function salvagedOutcome(
  recording: { readonly recordingId: string; readonly startedAtMs: number },
  salvaged: SalvagedFile | undefined,
): RecordingOutcome {
  return {
    ...recording,
    verdict: salvaged === undefined ? 'failed' : 'partial',
    reasons: salvaged === undefined ? ['crash_recovered', 'no_media'] : ['crash_recovered'],
    durationMs: salvaged?.durationMs ?? 0,
    callDurationMs: salvaged?.durationMs ?? 0,
    lostMs: 0,
    lossMap: [],
    bytes: salvaged?.bytes ?? 0,
    sha256: salvaged?.sha256 ?? null,
    ...(salvaged?.encryption && { encryption: salvaged.encryption }),
    streams: [],
  }
}

/** The verdict on a recording whose engine died while the process lives on. Never rejects. */
export async function salvageLost(
  lost: LostRecording,
  { repair, log }: Pick<CrashRecoveryOptions, 'repair' | 'log'>,
): Promise<RecordingOutcome> {
  const { recordingId, answeredAtMs, endedAtMs, reasons } = lost
  const startedAtMs = answeredAtMs ?? endedAtMs
  let salvaged: SalvagedFile | undefined
  try {
    salvaged = await repair(recordingId)
  } catch (error) {
    log.error({ recordingId, reason: messageOf(error) }, 'spool file not repaired')
  }
  return {
    ...salvagedOutcome({ recordingId, startedAtMs }, salvaged),
    reasons: [...new Set<ReasonCode>(['engine_failed', ...reasons])],
    callDurationMs: endedAtMs - startedAtMs,
  }
}

/**
 * A file without an unfinished recording goes to the store as well, where the sweep for orphans finds it, or as soon as
 * the store takes it.
 */
async function keepOrphan(
  recordingId: string,
  { repair, files, journal, log }: CrashRecoveryOptions,
): Promise<void> {
  try {
    if ((await repair(recordingId)) === undefined) return
    const file = await files.keep(recordingId)
    // It may have its verdict, and have waited for the store.
    journal.append({ kind: 'recording.stored', recordingId, file })
    log.warn({ recordingId, file }, 'spool held a recording that no contact waits for')
  } catch (error) {
    if (isHung(error)) files.keepLater?.(recordingId)
    else log.error({ recordingId, reason: messageOf(error) }, 'spool file not recovered')
  }
}

async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
