/** What a process serves of one metric. */
export interface ServedMetric {
  readonly type: string
  readonly help: string
  /** Of its samples, where there are any. */
  readonly labels: ReadonlySet<string>
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
    const [, sample = '', labels = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    if (sample === '') continue
    const family = sample.replace(/_(bucket|sum|count)$/, '')
    const metric = metricOf(metrics.get(family)?.type === 'histogram' ? family : sample)
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="(?:[^"\\]|\\.)*"/g)) {
      metric.labels.add(label)
    }
  }
  return metrics
}

/** Samples of one metric, as `{name{labels} value}` lines, summed. */
export function totalOf(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
