import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import type { Pool } from './database.ts'
import { type DatabaseState, DatabaseWatch } from './database-watch.ts'

/** From a query of an index on the same machine to one that somebody waits for. */
const QUERY_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

/**
 * Watches the database and the process's pool for its metrics; docs/metrics.md describes each. The owner starts and
 * closes the watch, and ends the pool after it.
 */
export function watchDatabase(
  registry: Registry,
  { pool, limit, clock }: { readonly pool: Pool; readonly limit: number; readonly clock: Clock },
): DatabaseWatch {
  const registers = [registry]
  const seconds = new Histogram({
    name: 'tallenne_database_query_seconds',
    help: 'From asking the pool to the answer, of every query sent outside a transaction.',
    buckets: QUERY_BUCKETS_S,
    registers,
  })
  timeQueries(pool, clock, (tookMs) => seconds.observe(tookMs / 1000))
  const watch = new DatabaseWatch({ database: pool, clock })
  const told = (name: string, help: string, read: (state: DatabaseState) => number | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      // What is not known has no sample.
      collect() {
        const value = read(watch.state)
        if (value === undefined) this.remove()
        else this.set(value)
      },
    })
  told(
    'tallenne_database_up',
    '1 where the database answered when it was asked last, at most 5 s ago.',
    ({ isUp }) => numberOf(isUp),
  )
  told('tallenne_database_read_only', '1 where the database refuses writes.', ({ isReadOnly }) =>
    numberOf(isReadOnly),
  )
  told(
    'tallenne_database_replication_lag_seconds',
    'How far the database is behind the one that it replicates; infinite where replication stands still.',
    ({ replicationLagS }) => replicationLagS,
  )
  new Gauge({
    name: 'tallenne_database_pool_connections',
    help: 'Connections to the database of this process’s pool, by whether a query has them.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'active' }, pool.activeConnections())
      this.set({ state: 'idle' }, pool.idleConnections())
    },
  })
  new Gauge({
    name: 'tallenne_database_pool_limit',
    help: 'Most connections of this process’s pool.',
    registers,
  }).set(limit)
  new Gauge({
    name: 'tallenne_database_pool_waiting',
    help: 'Queries that wait for a connection of the pool.',
    registers,
    collect() {
      this.set(pool.taskQueueSize())
    },
  })
  return watch
}

/** Tells how long each query took that was sent through the pool, failed ones too. */
function timeQueries(pool: Pool, clock: Clock, onTaken: (tookMs: number) => void): void {
  const query = pool.query.bind(pool)
  pool.query = async (...asked: Parameters<Pool['query']>) => {
    const askedAtMs = clock.monotonicMs()
    try {
      return await query(...asked)
    } finally {
      onTaken(clock.monotonicMs() - askedAtMs)
    }
  }
}

function numberOf(known: boolean | undefined): number | undefined {
  return known === undefined ? undefined : Number(known)
}
