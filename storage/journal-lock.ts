import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeExclusively } from '../base/exclusive-file.ts'
import { identify, isRunning, type ProcessIdentity } from '../base/process-identity.ts'
import { TallenneError } from '../base/tallenne-error.ts'

const FILE = 'owner'

/**
 * Keeps a journal to one process: two would each apply and remove what the other has not read. Returns how to let go.
 * Throws `journal_in_use` where another process has it.
 */
export function takeJournal(folder: string): () => void {
  const self = identify(process.pid) ?? { pid: process.pid, startedTicks: null }
  return takeExclusively(join(folder, FILE), JSON.stringify(self), (content) => {
    const owner = runningOwner(content)
    if (owner === undefined) return
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

function runningOwner(content: string): ProcessIdentity | undefined {
  const owner = parseOwner(content)
  return owner !== undefined && isRunning(owner) ? owner : undefined
}

function parseOwner(content: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(content)
    if (typeof value !== 'object' || value === null) return undefined
    const pid: unknown = Reflect.get(value, 'pid')
    const startedTicks: unknown = Reflect.get(value, 'startedTicks')
    if (typeof pid !== 'number') return undefined
    return { pid, startedTicks: typeof startedTicks === 'string' ? startedTicks : null }
  } catch {
    return undefined
  }
}
