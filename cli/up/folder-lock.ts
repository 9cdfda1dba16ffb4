import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeExclusively } from '../../base/exclusive-file.ts'
import { identify, isRunning, type ProcessIdentity } from '../../base/process-identity.ts'
import { TallenneError } from '../../base/tallenne-error.ts'

const FILE = 'up.lock'

/** Who holds a data folder: the `up` itself and the processes that it started. */
export interface FolderHolder {
  readonly up: ProcessIdentity
  readonly children: readonly ProcessIdentity[]
}

/** Keeps a data folder to one `up`. The file outlives a crash, and says then whose processes may be left. */
export class FolderLock {
  readonly #path: string
  readonly #self: ProcessIdentity

  private constructor(path: string, self: ProcessIdentity) {
    this.#path = path
    this.#self = self
  }

  /**
   * What a crashed holder has left running; none in the usual case. Throws `data_in_use` where another `up` holds
   * the folder now.
   */
  static leftovers(dataPath: string): readonly ProcessIdentity[] {
    const holder = readHolder(dataPath)
    if (holder && isRunning(holder.up)) throw inUse(dataPath, holder)
    return (holder?.children ?? []).filter(isRunning)
  }

  /** Throws `data_in_use` where another `up` holds the folder. */
  static take(dataPath: string): FolderLock {
    const path = join(dataPath, FILE)
    const self = identify(process.pid) ?? { pid: process.pid, startedTicks: null }
    takeExclusively(path, JSON.stringify({ up: self, children: [] }), (content) => {
      const holder = parseHolder(content)
      if (holder && isRunning(holder.up)) throw inUse(dataPath, holder)
    })
    return new FolderLock(path, self)
  }

  /** Notes the processes that run now, for whoever comes after a crash. */
  note(children: readonly number[]): void {
    const identities = children.flatMap((pid) => identify(pid) ?? [])
    const next = `${this.#path}.${process.pid}`
    writeFileSync(next, JSON.stringify({ up: this.#self, children: identities }), { mode: 0o600 })
    renameSync(next, this.#path)
  }

  release(): void {
    rmSync(this.#path, { force: true })
  }
}

/** Who holds the folder, whether still running or not; undefined where nobody does. */
export function readHolder(dataPath: string): FolderHolder | undefined {
  try {
    return parseHolder(readFileSync(join(dataPath, FILE), 'utf8'))
  } catch {
    return undefined
  }
}

function parseHolder(content: string): FolderHolder | undefined {
  try {
    const parsed: unknown = JSON.parse(content)
    if (typeof parsed !== 'object' || parsed === null) return undefined
    const up = toIdentity(Reflect.get(parsed, 'up'))
    const children: unknown = Reflect.get(parsed, 'children')
    if (!up) return undefined
    return {
      up,
      children: Array.isArray(children) ? children.flatMap((child) => toIdentity(child) ?? []) : [],
    }
  } catch {
    return undefined
  }
}

function toIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const pid: unknown = Reflect.get(value, 'pid')
  const startedTicks: unknown = Reflect.get(value, 'startedTicks')
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 2) return undefined
  return { pid, startedTicks: typeof startedTicks === 'string' ? startedTicks : null }
}

function inUse(dataPath: string, { up }: FolderHolder): TallenneError {
  return new TallenneError(
    'data_in_use',
    `${dataPath} is in use by another tallenne up (process ${up.pid}): end that one, or choose another folder with --data.`,
  )
}
