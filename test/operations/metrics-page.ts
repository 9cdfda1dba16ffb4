import { readFileSync } from 'node:fs'

/** What docs/metrics.md says of one metric. */
export interface DescribedMetric {
  readonly type: string
  readonly labels: readonly string[]
}

/** The metrics of one `##` section of docs/metrics.md, from its tables. */
export function readSection(title: string): ReadonlyMap<string, DescribedMetric> {
  const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
  const section = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  if (section === undefined) throw new Error(`docs/metrics.md has no section ${title}`)
  const described = new Map<string, DescribedMetric>()
  for (const line of section.split('\n')) {
    const [, names = '', type = '', labels = ''] = line.split('|').map((cell) => cell.trim())
    for (const [, name = ''] of names.matchAll(/`(tallenne_[a-z_0-9]+)`/g)) {
      described.set(name, {
        type,
        labels: [...labels.matchAll(/`([a-z_]+)`/g)].map(([, l = '']) => l),
      })
    }
  }
  return described
}
