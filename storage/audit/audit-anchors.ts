import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../base/has-code.ts'
import type { ChainLink } from './audit-chain.ts'

/** A place in the chain as it was when a process wrote it, kept outside the database. */
export interface Anchor extends ChainLink {
  readonly atMs: number
}

/** Larger, and older lines are thinned out; the newest are what a cut-off end is found by. */
const MAX_BYTES = 1_048_576
const KEPT_WHOLE = 1000
/** Of the older ones every so many stay: what is changed before one of them is found by it. */
const THINNING = 16
const ENDING = '.anchors'

/**
 * One process's file of anchors, a line of JSON each. Lines are only added, so that several may write; a line that
 * a crash left torn is passed over.
 */
export class AnchorFile {
  readonly #folder: string
  readonly #path: string

  /** `writer` names the file; letters, digits, dots and hyphens. */
  constructor(folder: string, writer: string) {
    this.#folder = folder
    this.#path = join(folder, `${writer.replaceAll(/[^A-Za-z0-9.-]/g, '_')}${ENDING}`)
  }

  /** The last whole line; undefined where there is none. */
  async last(): Promise<Anchor | undefined> {
    return (await readAnchorFile(this.#path)).at(-1)
  }

  /** Rejects where the file system does. */
  async append({ sequence, hash, atMs }: Anchor): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const line = JSON.stringify({ at: new Date(atMs).toISOString(), sequence, hash })
    const handle = await open(this.#path, 'a', 0o600)
    try {
      // The line break before the line as well: what follows a torn line is whole all the same.
      await handle.appendFile(`\n${line}\n`)
    } finally {
      await handle.close()
    }
    if ((await stat(this.#path)).size > MAX_BYTES) await this.#thin()
  }

  async #thin(): Promise<void> {
    const anchors = await readAnchorFile(this.#path)
    const kept = anchors.filter(
      (_, index) => index % THINNING === 0 || index >= anchors.length - KEPT_WHOLE,
    )
    const lines = kept.map(({ atMs, ...link }) =>
      JSON.stringify({ at: new Date(atMs).toISOString(), ...link }),
    )
    const part = `${this.#path}.part`
    await writeFile(part, `${lines.join('\n')}\n`, { mode: 0o600 })
    await rename(part, this.#path)
  }
}

/** All anchors of a folder, in order of their places. A folder that is not there holds none. */
export async function readAnchors(folder: string): Promise<readonly Anchor[]> {
  const names = await readdir(folder).catch(missingAs<string[]>([]))
  const files = names.filter((name) => name.endsWith(ENDING))
  const anchors = await Promise.all(files.map((name) => readAnchorFile(join(folder, name))))
  return anchors.flat().sort((a, b) => a.sequence - b.sequence)
}

/** An anchor as people keep it: `1234:HASH`; undefined where the text is none. Rows are counted from 1. */
export function parseAnchor(text: string): ChainLink | undefined {
  const [, sequence, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? []
  return sequence === undefined || hash === undefined
    ? undefined
    : { sequence: Number(sequence), hash }
}

async function readAnchorFile(path: string): Promise<readonly Anchor[]> {
  const text = await readFile(path, 'utf8').catch(missingAs(''))
  return text.split('\n').flatMap((line) => readLine(line) ?? [])
}

function readLine(line: string): Anchor | undefined {
  const [, at = '', sequence, hash] =
    /^\{"at":"([^"]{24})","sequence":(\d{1,15}),"hash":"([0-9a-f]{64})"\}$/.exec(line) ?? []
  const atMs = Date.parse(at)
  if (sequence === undefined || hash === undefined || Number.isNaN(atMs)) return undefined
  return { sequence: Number(sequence), hash, atMs }
}

export function missingAs<T>(value: T) {
  return (error: unknown): T => {
    if (hasCode(error, 'ENOENT')) return value
    throw error
  }
}
