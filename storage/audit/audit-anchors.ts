import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { hasCode } from '../../base/has-code.ts'
import type { ChainLink } from './audit-chain.ts'

/** A place in the chain as it was when a process wrote it, kept outside the database. */
export interface Anchor extends ChainLink {
  readonly atMs: number
}

/** An anchor to prove the chain by, and where it is kept, for people. */
export interface KeptAnchor extends ChainLink {
  readonly place: string
}

/** What the files of anchors hold. */
export interface KeptAnchors {
  /** In order of their sequences. */
  readonly anchors: readonly (Anchor & KeptAnchor)[]
  /** Where lines are that hold none. */
  readonly unreadable: readonly string[]
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
    return (await readAnchorFile(this.#path)).anchors.at(-1)
  }

  /** Rejects where the file system does. */
  async append(anchor: Anchor): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const handle = await open(this.#path, 'a', 0o600)
    try {
      // The line break before the line as well: what follows a torn line is whole all the same.
      await handle.appendFile(`\n${lineOf(anchor)}\n`)
    } finally {
      await handle.close()
    }
    if ((await stat(this.#path)).size > MAX_BYTES) await this.#thin()
  }

  async #thin(): Promise<void> {
    const { anchors } = await readAnchorFile(this.#path)
    const kept = anchors.filter(
      (_, index) => index % THINNING === 0 || index >= anchors.length - KEPT_WHOLE,
    )
    const part = `${this.#path}.part`
    await writeFile(part, `${kept.map(lineOf).join('\n')}\n`, { mode: 0o600 })
    await rename(part, this.#path)
  }
}

/** All anchors of a folder. A folder that is not there holds none. */
export async function readAnchors(folder: string): Promise<KeptAnchors> {
  const names = await readdir(folder).catch(missingAs<string[]>([]))
  const files = names.filter((name) => name.endsWith(ENDING))
  const read = await Promise.all(files.map((name) => readAnchorFile(join(folder, name))))
  return {
    anchors: read.flatMap(({ anchors }) => anchors).sort((a, b) => a.sequence - b.sequence),
    unreadable: read.flatMap(({ unreadable }) => unreadable),
  }
}

/** An anchor as people keep it: `1234:HASH`; undefined where the text is none. Rows are counted from 1. */
export function parseAnchor(text: string): ChainLink | undefined {
  const [, sequence, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? []
  return sequence === undefined || hash === undefined
    ? undefined
    : { sequence: Number(sequence), hash }
}

async function readAnchorFile(path: string): Promise<KeptAnchors> {
  const text = await readFile(path, 'utf8').catch(missingAs(''))
  const anchors: (Anchor & KeptAnchor)[] = []
  const unreadable: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue
    const place = `${basename(path)}, line ${index + 1}`
    const anchor = readLine(line)
    if (anchor) anchors.push({ ...anchor, place })
    else unreadable.push(place)
  }
  return { anchors, unreadable }
}

function lineOf({ sequence, hash, atMs }: Anchor): string {
  return JSON.stringify({ at: new Date(atMs).toISOString(), sequence, hash })
}

function readLine(line: string): Anchor | undefined {
  const [, at = '', sequence, hash] =
    /^\{"at":"([^"]{24})","sequence":([1-9]\d{0,14}),"hash":"([0-9a-f]{64})"\}$/.exec(line) ?? []
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
