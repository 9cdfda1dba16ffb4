import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeExclusively } from '../base/exclusive-file.ts'
import { identify, isRunning, type ProcessIdentity } from '../base/process-identity.ts'
import { TallenneError } from '../base/tallenne-error.ts'

const FILE = 'owner'

interface JournalOwner extends ProcessIdentity {
  /** Whose it is within the process. */
  readonly holder: string | null
}

/**
 * Keeps a journal to one holder in one process: two would each apply and remove what the other has not read. Returns how
 * to let go. Throws `journal_in_use` where another has it.
 *
 * A holder is given what is its own already, as that of a thread of its own that has died. Only it can know that.
 */
export function takeJournal(folder: string, holder: string): () => void {
  const current = identify(process.pid) ?? { pid: process.pid, startedTicks: null }
  const self: JournalOwner = { ...current, holder }
  return takeExclusively(join(folder, FILE), JSON.stringify(self), (content) => {
    const owner = runningOwner(content)
    if (owner === undefined || isSame(owner, self)) return
    throw new TallenneError(
      'journal_in_use',
      `The journal in ${folder} is in use by process ${owner.pid}: end that one first, or give each process a dataPath of its own.`,
    )
  })
}

/** The process that has the journal now; undefined where none does. */
export function journalOwner(folder: string): ProcessIdentity | undefined {
  try {
    return runningOwner(readFileSync(join(folder, FILE), 'utf8'))
  } catch {
    return undefined
  }
}

function isSame(one: JournalOwner, other: JournalOwner): boolean {
  return one.pid === other.pid && one.holder === other.holder
}

function runningOwner(content: string): JournalOwner | undefined {
  const owner = parseOwner(content)
  return owner !== undefined && isRunning(owner) ? owner : undefined
}

function parseOwner(content: string): JournalOwner | undefined {
  try {
    const value: unknown = JSON.parse(content)
    if (typeof value !== 'object' || value === null) return undefined
    const pid: unknown = Reflect.get(value, 'pid')
    const startedTicks: unknown = Reflect.get(value, 'startedTicks')
    const holder: unknown = Reflect.get(value, 'holder')
    if (typeof pid !== 'number') return undefined
    return {
      pid,
      startedTicks: typeof startedTicks === 'string' ? startedTicks : null,
      holder: typeof holder === 'string' ? holder : null,
    }
  } catch {
    return undefined
  }
}
