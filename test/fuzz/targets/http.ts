import { Registry } from 'prom-client'
import { SystemClock } from '../../../base/clock.ts'
import { createHttpService } from '../../../base/http-service.ts'
import { createSilentLog } from '../../../base/log.ts'
import { Archive } from '../../../portal/archive.ts'
import { selectRanges } from '../../../portal/audio/byte-ranges.ts'
import { evaluatePreconditions, isRangeCurrent } from '../../../portal/audio/preconditions.ts'
import { Listenings } from '../../../portal/audit/listenings.ts'
import { PortalAudit } from '../../../portal/audit/portal-audit.ts'
import { identifyByAdminToken } from '../../../portal/identity.ts'
import { addPortal } from '../../../portal/portal-app.ts'
import { PortalMetrics } from '../../../portal/portal-metrics.ts'
import { Transcoder } from '../../../portal/transcode.ts'
import type { Pool } from '../../../storage/database.ts'
import { RecordingStore } from '../../../storage/recording-store.ts'
import { LINES, TOKEN } from '../../portal/portal.ts'
import { type FuzzTarget, latin1, Unsound } from '../target.ts'

const ID = '019a0000-0000-7000-8000-000000000001'
const SEEDS = [
  'GET /api/contacts?callId=a&caller=%2B12025550100&from=2026-01-01T00:00:00.000Z&to=2026-02-01&cursor=x&limit=5',
  `GET /api/contacts/${ID}`,
  `GET /api/contacts/${ID}/metadata`,
  `GET /api/recordings/${ID}`,
  `GET /api/recordings/${ID}/audio?format=mp3\nrange: bytes=0-1,5-\nif-range: "a"\naccept: audio/*`,
  `POST /api/calls/${ID}/pause\ncontent-type: application/json\n\n{"reason":"card"}`,
  `POST /api/calls/${ID}/annotate\ncontent-type: application/json\n\n{"notes":{"a":"b"}}`,
  'GET /?lang=fi\naccept-language: sv;q=0.9, *;q=0.1',
  'GET /openapi.json',
]
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** A database that has nothing. */
const NOTHING = {
  query: async () => [],
  execute: async () => [],
  end: async () => {},
}

/** A trail that keeps nothing. */
const nowhere = {
  trail: { record: async () => undefined },
  queue: { record: async () => undefined },
}

/** Whatever is asked of the portal, it is answered, and never by a fault of its own. */
export const api: FuzzTarget = {
  name: 'api',
  covers: ['portal/', 'base/http-service'],
  seeds: () => SEEDS.map((seed) => Buffer.from(seed)),
  words: [
    ...[
      '&',
      '=',
      '%',
      '%00',
      '%ff',
      '/',
      '..',
      '\n',
      ': ',
      '\n\n',
      '{',
      '}',
      '"',
      '[]',
      'null',
      '1e9',
    ],
    ...[
      'bytes=',
      '-',
      ',',
      'limit=',
      'cursor=',
      'format=wav',
      'authorization: Bearer x',
      '__proto__',
    ],
  ],
  maxBytes: 4_096,
  start: async () => {
    const clock = new SystemClock()
    const log = createSilentLog()
    const registry = new Registry()
    const service = createHttpService({
      ...{ host: '127.0.0.1', port: 0, checks: [], closeAfterMs: 200 },
      ...{ registry, clock, log },
    })
    // As much of a pool as an empty database needs.
    const pool = NOTHING as unknown as Pool
    const store = new RecordingStore({ spoolPath: '/nonexistent', storePath: '/nonexistent' })
    addPortal(service.app, {
      archive: new Archive({ pool, store, clock, identities: undefined }),
      pool,
      region: 'FI',
      audit: new PortalAudit({
        ...nowhere,
        clock,
        pseudonymOf: () => 'somebody',
        publicNumbers: new Set(),
      }),
      listenings: new Listenings({ ...nowhere, clock }),
      transcoder: new Transcoder({ maxRunning: 1, longestS: 1, onRunning: () => {} }),
      lines: LINES,
      identify: identifyByAdminToken(TOKEN),
      gateway: { url: 'http://127.0.0.1:1', token: TOKEN },
      version: '0.0.0',
      metrics: new PortalMetrics(registry),
      clock,
      log,
    })
    return {
      take: async (input) => {
        const { method, url, headers, body } = requestOf(latin1(input))
        const response = await service.app.inject({
          method,
          url,
          headers: { authorization: `Bearer ${TOKEN}`, ...headers },
          ...(body !== undefined && { payload: body }),
        })
        const { statusCode } = response
        // The gateway of the node is not there, which is told.
        const isAway = /^\/api\/calls/.test(url) && (statusCode === 502 || statusCode === 503)
        if (statusCode >= 500 && !isAway) throw new Unsound(`${statusCode}: ${response.body}`)
      },
      close: () => service.close(),
    }
  },
}

function requestOf(text: string) {
  const end = text.indexOf('\n\n')
  const [first = '', ...lines] = (end < 0 ? text : text.slice(0, end)).split('\n')
  const [word = '', path = ''] = first.split(' ')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name, value = ''] = /^([\w-]{1,64}): ?([ -~]*)$/.exec(line) ?? []
    // Lengths are counted by whoever sends.
    if (name !== undefined && !/^(content-length|transfer-encoding|expect)$/i.test(name)) {
      headers[name] = value
    }
  }
  const method = METHODS.find((one) => one === word) ?? 'GET'
  const hasBody = end >= 0 && method !== 'GET' && method !== 'HEAD'
  // What an HTTP parser lets through of a path.
  const url = `/${path.replace(/^\/+/, '').replace(/[^!-~]/g, '')}`
  return { method, url, headers, body: hasBody ? text.slice(end + 2) : undefined }
}

const DATE = 'Tue, 14 Nov 2023 22:13:20 GMT'

/** Ranges lie within what there is, and whatever stands in a condition is one or none. */
export const ranges: FuzzTarget = {
  name: 'ranges',
  covers: ['portal/audio/'],
  seeds: () =>
    ['bytes=0-1', 'bytes=-5', 'bytes=5-,1-2, 3-3', 'W/"b", "a"', DATE].map((one) =>
      Buffer.from(one),
    ),
  words: ['bytes=', '-', ',', '0', '18446744073709551616', ' '],
  maxBytes: 1_024,
  start: () => ({
    take: (input) => {
      const header = latin1(input)
      const validators = { etag: '"a"', modifiedAtMs: 1_700_000_000_000 }
      for (const name of [
        'if-match',
        'if-none-match',
        'if-modified-since',
        'if-unmodified-since',
      ]) {
        evaluatePreconditions({ [name]: header }, validators)
      }
      isRangeCurrent(header, validators)
      for (const length of [0, 1, 1000]) {
        const selection = selectRanges(header, length)
        if (!('ranges' in selection)) continue
        const isOut = selection.ranges.some(({ first, last }) => first > last || last >= length)
        if (isOut) throw new Unsound('a range beyond the end')
      }
    },
  }),
}
