import { readdirSync } from 'node:fs'
import { readProcessFigures } from '../process-figures.ts'
import type { Site } from './site.ts'

/** What must not grow while calls come and go. */
export interface SoakSample {
  readonly 'memory of the gateway, MiB': number
  readonly 'memory of the portal, MiB': number
  readonly 'memory of retention, MiB': number
  /** Sockets among them. */
  readonly 'open files of the gateway': number
  readonly 'files in the spool': number
  readonly 'journal entries that wait': number
  readonly 'CPU of the gateway, s': number
}

const MIB = 1024 * 1024

/** Undefined where a part is down. */
export async function sampleSite(site: Site): Promise<SoakSample | undefined> {
  const [gateway, portal, retention] = (['gateway', 'portal', 'retention'] as const).map((part) =>
    site.pidOf(part),
  )
  if (gateway === undefined || portal === undefined || retention === undefined) return undefined
  const { residentBytes, cpuMs } = readProcessFigures(gateway)
  return {
    'memory of the gateway, MiB': residentBytes / MIB,
    'memory of the portal, MiB': readProcessFigures(portal).residentBytes / MIB,
    'memory of retention, MiB': readProcessFigures(retention).residentBytes / MIB,
    'open files of the gateway': readdirSync(`/proc/${gateway}/fd`).length,
    'files in the spool': site.filesIn('spool').length,
    'journal entries that wait': (await site.metric('tallenne_journal_entries')) ?? Number.NaN,
    'CPU of the gateway, s': cpuMs / 1000,
  }
}

/**
 * Rows of a table: the mean of each figure in the first third and in the last, and how they differ. What comes before
 * all calls are up, or after the first have ended for good, is a tenth at either end and left out. CPU is what each
 * third took.
 */
export function readGrowth(samples: readonly SoakSample[]): string[][] {
  const steady = samples.slice(
    Math.ceil(samples.length / 10),
    samples.length - Math.ceil(samples.length / 10),
  )
  const third = Math.floor(steady.length / 3)
  const [first] = samples
  if (third === 0 || first === undefined) return []
  const names = Object.keys(first) as (keyof SoakSample)[]
  return names.map((name) => {
    const values = steady.map((sample) => sample[name])
    const measure = name.startsWith('CPU') ? spanOf : meanOf
    const before = measure(values.slice(0, third))
    const after = measure(values.slice(-third))
    const growth = before === 0 ? (after === 0 ? 0 : Number.POSITIVE_INFINITY) : after / before - 1
    return [name, before.toFixed(1), after.toFixed(1), `${(growth * 100).toFixed(1)} %`]
  })
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function spanOf(values: readonly number[]): number {
  return (values.at(-1) ?? 0) - (values[0] ?? 0)
}
