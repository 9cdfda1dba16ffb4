import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { SystemClock } from '../../base/clock.ts'
import { createHttpService } from '../../base/http-service.ts'
import { createSilentLog, type Log } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import { loadConfig } from '../../config/load-config.ts'
import { serviceLinesOf } from '../../config/service-lines.ts'
import { Archive } from '../../portal/archive.ts'
import { openPortalAudit } from '../../portal/audit/open-portal-audit.ts'
import { type Identify, identifyByAdminToken } from '../../portal/identity.ts'
import { addPortal } from '../../portal/portal-app.ts'
import { PortalMetrics } from '../../portal/portal-metrics.ts'
import { Transcoder } from '../../portal/transcode.ts'
import type { Identities } from '../../storage/encryption/identities.ts'
import { migrate } from '../../storage/migrate.ts'
import type { JournalEntry } from '../../storage/model.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { syncServiceLines } from '../../storage/service-lines.ts'
import { startMariadb } from '../mariadb.ts'
import { metricValue } from '../metrics-text.ts'
import { sha256 } from '../sha256.ts'
import { applyEntries } from '../storage/apply.ts'
import { wholeCall } from '../storage/journal-entries.ts'

export const TOKEN = 'test-token-that-is-as-long-as-a-real-one-is-0'

/** The default ones: customer support, a switchboard, and what is neither's. */
export const LINES = loadConfig(undefined, {})

/** Its lines have the default numbers. */
function testConfig(dataPath: string) {
  return { ...LINES, dataPath }
}

export interface TestPortalOptions {
  readonly identify?: Identify
  readonly gatewayUrl?: string
  readonly maxTranscodes?: number
  readonly longestTranscodeS?: number
  readonly log?: Log
  readonly identities?: Identities
}

type CallFields = Parameters<typeof wholeCall>[0]
type RecordingFields = Parameters<typeof wholeCall>[1]

/** A portal on a port of its own, on a database and a store of its own. */
export async function startTestPortal(options: TestPortalOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-portal-'))
  const mariadb = await startMariadb()
  const pool = mariadb.pool()
  await migrate(pool)
  await syncServiceLines(pool, serviceLinesOf(LINES), {
    setBy: 'test',
    nowMs: Date.UTC(2026, 0, 1),
  })
  const storePath = join(folder, 'recordings')
  const store = new RecordingStore({ spoolPath: join(folder, 'spool'), storePath })
  await store.prepare()

  const clock = new SystemClock()
  const log = options.log ?? createSilentLog()
  const registry = new Registry()
  const metrics = new PortalMetrics(registry)
  const service = createHttpService({
    host: '127.0.0.1',
    port: 0,
    checks: [],
    registry,
    clock,
    log,
    closeAfterMs: 200,
  })
  const audit = await openPortalAudit(testConfig(folder), { pool, registry, clock, log })
  addPortal(service.app, {
    archive: new Archive({ pool, store, clock, identities: options.identities }),
    audit: audit.portal,
    listenings: audit.listenings,
    transcoder: new Transcoder({
      maxRunning: options.maxTranscodes ?? 2,
      longestS: options.longestTranscodeS ?? 60,
      onRunning: (running) => metrics.transcodesRunning.set(running),
    }),
    lines: LINES,
    pool,
    region: 'US',
    identify: options.identify ?? identifyByAdminToken(TOKEN),
    gateway: { url: options.gatewayUrl ?? 'http://127.0.0.1:1', token: TOKEN },
    version: '0.0.0',
    metrics,
    clock,
    log,
  })
  const { port } = await service.start()
  const url = `http://127.0.0.1:${port}`

  const apply = (entries: readonly JournalEntry[]) => applyEntries(mariadb.settings, entries)
  return {
    url,
    port,
    storePath,
    mariadb,
    pool,
    apply,
    /** The value of a metric, or of one of its series: `name{label="value"}`. */
    metric: async (series: string) => metricValue(await registry.metrics(), series),
    /** Has everything that is listened to written down, as after a minute of silence. */
    endListenings: () => audit.listenings.close(),
    /** Asks with the token, and reads no further than the first of the body, as a client does whose line is slow. */
    openAndPause: async (path: string): Promise<{ destroy(): void }> => {
      const client = request(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
      client.on('error', () => {})
      client.end()
      const response = await new Promise<NodeJS.ReadableStream>((resolve) => {
        client.once('response', resolve)
      })
      response.once('data', () => response.pause())
      await new Promise((resolve) => response.once('pause', resolve))
      return client
    },
    /** Asks with the token. */
    ask: (path: string, init: RequestInit = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${TOKEN}`, ...init.headers },
      }),
    /** A whole call whose recording has these bytes. */
    addRecording: async (
      audio: Uint8Array,
      fields: { readonly call?: CallFields; readonly recording?: RecordingFields } = {},
    ) => {
      const recordingId = newId()
      writeFileSync(store.spoolPathOf(recordingId), audio, { mode: 0o600 })
      const file = await store.keep(recordingId)
      const hash = sha256(audio)
      const call = wholeCall(fields.call, {
        recordingId,
        file,
        bytes: audio.length,
        sha256: hash,
        ...fields.recording,
      })
      await apply(call.entries)
      return { ...call, sha256: hash, path: join(storePath, file) }
    },
    close: async () => {
      await service.close()
      await audit.close()
      await mariadb.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type TestPortal = Awaited<ReturnType<typeof startTestPortal>>
