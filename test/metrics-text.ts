/** What a process serves of one metric. */
export interface ServedMetric {
  readonly type: string
  readonly help: string
  /** Of its samples, where there are any. */
  readonly labels: ReadonlySet<string>
}

interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

/** Reads Prometheus' text format, of which the metrics here use HELP, TYPE and samples without times. */
export function readMetrics(text: string): ReadonlyMap<string, ServedMetric> {
  const metrics = new Map<string, { type: string; help: string; labels: Set<string> }>()
  const metricOf = (name: string) => {
    const metric = metrics.get(name) ?? { type: '', help: '', labels: new Set<string>() }
    metrics.set(name, metric)
    return metric
  }
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') metricOf(name).help = rest
    if (kind === 'TYPE') metricOf(name).type = rest
  }
  for (const { name, labels } of readSamples(text)) {
    const family = name.replace(/_(bucket|sum|count)$/, '')
    const metric = metricOf(metrics.get(family)?.type === 'histogram' ? family : name)
    for (const label of labels.keys()) metric.labels.add(label)
  }
  return metrics
}

/**
 * The value of `series`, which is written as in the text, `name` or `name{label="value"}`: summed over the labels that
 * it does not name, and undefined where nothing is served of it.
 */
export function metricValue(text: string, series: string): number | undefined {
  const [wanted] = readSamples(`${series} 0`)
  if (wanted === undefined) throw new Error(`no series: ${series}`)
  const values = readSamples(text)
    .filter(({ name, labels }) => {
      const isMeant = [...wanted.labels].every(([label, value]) => labels.get(label) === value)
      return name === wanted.name && isMeant
    })
    .map(({ value }) => value)
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0)
}

function readSamples(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([A-Za-z_]\w*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === undefined) return []
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
    return {
      name,
      labels: new Map(pairs.map(([, label = '', said = '']) => [label, said])),
      value: Number(value),
    }
  })
}
