import { readdirSync, readFileSync } from 'node:fs'

export interface Panel {
  readonly type: 'stat' | 'timeseries'
  readonly title: string
  readonly description: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit: string
      readonly decimals?: number
      readonly thresholds?: {
        readonly steps: readonly { readonly color: string; readonly value: number | null }[]
      }
      readonly custom?: { readonly stacking: { readonly mode: string } }
    }
  }
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
}

const FOLDER = new URL('../../../deploy/grafana/', import.meta.url).pathname

/** The dashboards of deploy/grafana/, by the names of their files. */
export function readDashboards(): ReadonlyMap<string, Dashboard> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
  return new Map(
    files.map((name) => [
      name.replace('.json', ''),
      JSON.parse(readFileSync(FOLDER + name, 'utf8')) as Dashboard,
    ]),
  )
}

/** An expression with what Grafana puts in the place of its variables, for all nodes. */
export function fillIn(
  expr: string,
  { rateS, rangeS }: { readonly rateS: number; readonly rangeS: number },
): string {
  return expr
    .replaceAll('$__rate_interval', `${rateS}s`)
    .replaceAll('$__range', `${Math.round(rangeS)}s`)
    .replaceAll('$instance', '.*')
}

/** Whether the panel says of itself that it may have nothing to show. */
export function mayBeEmpty({ description }: Panel): boolean {
  return /\bempty\b|\bleft out\b/i.test(description)
}
