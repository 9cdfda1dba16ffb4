import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/**
 * The registry of one process, with what every process tells of itself under the names that Prometheus' own clients
 * give it (`process_…`, `nodejs_…`), and which build it is.
 */
export function createRegistry(
  process: 'gateway' | 'retention' | 'portal',
  version: string,
): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'tallenne_build_info',
    help: 'Always 1; the labels tell which process of which version this is.',
    labelNames: ['process', 'version'],
    registers: [registry],
  }).set({ process, version }, 1)
  return registry
}
