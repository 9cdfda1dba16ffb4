import { readFileSync } from 'node:fs'

/** What docs/metrics.md says of one metric. */
export interface DescribedMetric {
  readonly type: string
  readonly labels: readonly string[]
}

type Described = ReadonlyMap<string, DescribedMetric>

/** The metrics of docs/metrics.md. */
export function readPage(): Described {
  return read(readText())
}

/** The metrics of one `##` section. */
export function readSection(title: string): Described {
  const section = readText()
    .split(/^## /m)
    .find((part) => part.startsWith(`${title}\n`))
  if (section === undefined) throw new Error(`docs/metrics.md has no section ${title}`)
  return read(section)
}

function readText(): string {
  return readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
}

/** The rows of all tables that describe metrics. */
function read(text: string): Described {
  const described = new Map<string, DescribedMetric>()
  for (const line of text.split('\n')) {
    const [, names = '', type = '', labels = ''] = line.split('|').map((cell) => cell.trim())
    for (const [, name = ''] of names.matchAll(/`(tallenne_[a-z_0-9]+)`/g)) {
      described.set(name, {
        type,
        labels: [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label = '']) => label),
      })
    }
  }
  return described
}
