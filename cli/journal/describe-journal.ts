import type { JournalSurvey } from '../../storage/journal-survey.ts'
import { formatInstant } from '../local-time.ts'
import { formatFields } from '../table.ts'
import { countEntries } from './count-entries.ts'

/** What a running gateway says of its journal. */
export interface GatewayWord {
  /** Why it is not carried now, by the words of `tallenne_journal_blocked`; null where it is. */
  readonly fault: string | null
  /** Entries that the disk does not take. */
  readonly unwritten: number
  /** Whether the disk does not answer. */
  readonly isHung: boolean
  /** Entries lost since its start. */
  readonly refused: number
}

/** What the database said when it was asked now. */
export interface DatabaseWord {
  readonly place: string
  /** Why it takes no changes; null where it does. */
  readonly problem: string | null
}

export interface JournalFindings {
  readonly node: string
  readonly folder: string
  readonly survey: JournalSurvey
  /** Undefined where no gateway answers. */
  readonly gateway: GatewayWord | undefined
  readonly database: DatabaseWord
  readonly nowMs: number
}

/** An entry waits for moments only while all is well. */
const LATE_MS = 60_000

/** Whether nobody has to do anything. */
export function isJournalWell({ survey, gateway, nowMs }: JournalFindings): boolean {
  return (
    survey.setAside === 0 &&
    survey.unreadableFiles.length === 0 &&
    survey.damagedLines === 0 &&
    nowMs - (survey.oldestAtMs ?? nowMs) <= LATE_MS &&
    (gateway?.unwritten ?? 0) === 0 &&
    gateway?.isHung !== true &&
    (gateway?.refused ?? 0) === 0
  )
}

/** For people. */
export function describeJournal(findings: JournalFindings, timeZone: string): readonly string[] {
  const { node, folder, survey, gateway, database, nowMs } = findings
  const { ownerPid, waiting, oldestAtMs, setAside, unreadableFiles, damagedLines } = survey
  const oldest =
    oldestAtMs === undefined
      ? ''
      : `, the oldest from ${formatInstant(new Date(oldestAtMs).toISOString(), timeZone)}, ${formatAge(nowMs - oldestAtMs)} ago`
  const lines = [
    `Journal of ${node} in ${folder}`,
    '',
    ...formatFields([
      ['gateway', describeGateway(ownerPid, gateway)],
      ['database', describeDatabaseWord(database)],
      ['waiting', waiting === 0 ? 'nothing' : `${countEntries(waiting)}${oldest}`],
      [
        'on disk',
        `${formatBytes(survey.bytes)} in ${survey.files} ${survey.files === 1 ? 'file' : 'files'}`,
      ],
      ['set aside', setAside === 0 ? 'nothing' : countEntries(setAside)],
    ]),
  ]
  const advice: string[] = []
  if (gateway?.isHung) {
    advice.push(
      `The journal's disk does not answer: ${countEntries(gateway.unwritten)} stand in memory alone, and new calls are turned away.`,
    )
  } else if (gateway !== undefined && gateway.unwritten > 0) {
    advice.push(
      `The journal's disk takes nothing: ${countEntries(gateway.unwritten)} stand in memory alone. Make room there.`,
    )
  }
  if (gateway !== undefined && gateway.refused > 0) {
    advice.push(
      `${countEntries(gateway.refused)} were lost: neither the disk nor the database took them.`,
    )
  }
  if (damagedLines > 0)
    advice.push(`${damagedLines} of what waits is damaged, and will be set aside.`)
  if (unreadableFiles.length > 0) {
    advice.push(
      `The disk could not read ${unreadableFiles.join(', ')}: see set-aside in the folder.`,
    )
  }
  if (setAside > 0)
    advice.push('tallenne journal inspect --set-aside says what is set aside, and why.')
  if (waiting > 0 && ownerPid === undefined) {
    advice.push(
      'The gateway carries what waits when it starts; tallenne journal replay does it without.',
    )
  }
  return advice.length === 0 ? lines : [...lines, '', ...advice]
}

function describeGateway(pid: number | undefined, word: GatewayWord | undefined): string {
  if (pid === undefined) return 'does not run'
  if (word === undefined) return `runs (process ${pid}) and does not answer`
  return word.fault === null
    ? `runs (process ${pid}) and carries it to the database`
    : `runs (process ${pid}) and waits for the database: ${word.fault.replace('_', ' ')}`
}

function describeDatabaseWord({ place, problem }: DatabaseWord): string {
  return problem === null ? `${place} takes changes` : `${place}: ${problem}`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const kib = bytes / 1024
  if (kib < 1024) return `${kib.toFixed(1)} KiB`
  return kib < 1_048_576 ? `${(kib / 1024).toFixed(1)} MiB` : `${(kib / 1_048_576).toFixed(1)} GiB`
}

export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}
