import { type Profiler, Session } from 'node:inspector'

/** Stretches of a function's text, from and to, in order and apart. */
type Stretches = readonly (readonly [number, number])[]

/**
 * What of the project's code has run, by V8's block coverage. V8 tells which stretches of a function did not run, and
 * joins and parts them as it likes: what counts is how much of each function has never run yet.
 */
export class Coverage {
  readonly #session = new Session()
  readonly #isCounted: (url: string) => boolean
  /** By function, what has never run. */
  readonly #missing = new Map<string, Stretches>()

  constructor(isCounted: (url: string) => boolean) {
    this.#isCounted = isCounted
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Functions that have run. */
  get functions(): number {
    return this.#missing.size
  }

  /** Forgets what has run since the last look. */
  skip(): void {
    this.#look()
  }

  /** Whether something has run since the last look that never had before; `keep` notes it. */
  hasNews({ keep }: { readonly keep: boolean }): boolean {
    let isNews = false
    for (const { url, functions } of this.#look()) {
      if (!this.#isCounted(url)) continue
      for (const { ranges } of functions) {
        const [whole] = ranges
        if (whole === undefined || whole.count === 0) continue
        const key = `${url}:${whole.startOffset}:${whole.endOffset}`
        const known = this.#missing.get(key)
        const left = overlap(known ?? [[whole.startOffset, whole.endOffset]], notRun(ranges))
        if (known !== undefined && sizeOf(left) === sizeOf(known)) continue
        isNews = true
        if (keep) this.#missing.set(key, left)
      }
    }
    return isNews
  }

  close(): void {
    this.#session.disconnect()
  }

  /** The inspector answers in the same turn where it is asked in its own thread. */
  #look(): readonly Profiler.ScriptCoverage[] {
    let scripts: readonly Profiler.ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (_error, taken) => {
      scripts = taken?.result ?? []
    })
    return scripts
  }
}

function notRun(ranges: readonly Profiler.CoverageRange[]): Stretches {
  const stretches: [number, number][] = []
  for (const { startOffset, endOffset, count } of ranges) {
    if (count > 0) continue
    const last = stretches.at(-1)
    // One within another comes after it.
    if (last !== undefined && startOffset < last[1]) continue
    stretches.push([startOffset, endOffset])
  }
  return stretches
}

function overlap(one: Stretches, other: Stretches): Stretches {
  const both: [number, number][] = []
  for (let i = 0, j = 0; ; ) {
    const [a, b] = [one[i], other[j]]
    if (a === undefined || b === undefined) return both
    const from = Math.max(a[0], b[0])
    const to = Math.min(a[1], b[1])
    if (from < to) both.push([from, to])
    if (a[1] < b[1]) i += 1
    else j += 1
  }
}

function sizeOf(stretches: Stretches): number {
  return stretches.reduce((sum, [from, to]) => sum + to - from, 0)
}
