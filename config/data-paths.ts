import { join, resolve } from 'node:path'
import type { Config } from './config.ts'

/** Where things stand, under `dataPath` unless configured elsewhere; every process takes them from here. */
export interface DataPaths {
  /** Open recordings of this machine. */
  readonly spool: string
  /** Ended recordings. */
  readonly store: string
  /** The node's journal. */
  readonly journal: string
  /** The bearer token that machines show, mode 0600; made by the launcher. */
  readonly adminToken: string
  /** What proves the audit trail from outside the database, and what waits to enter it. */
  readonly audit: string
}

export function dataPaths({ dataPath, disks }: Pick<Config, 'dataPath' | 'disks'>): DataPaths {
  return {
    spool: resolve(dataPath, disks.spoolPath),
    store: resolve(dataPath, disks.storePath),
    journal: join(dataPath, 'journal'),
    adminToken: join(dataPath, 'admin.token'),
    audit: join(dataPath, 'audit'),
  }
}
