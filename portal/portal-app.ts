import type { FastifyInstance } from 'fastify'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/config.ts'
import { serviceLinesOf } from '../config/service-lines.ts'
import type { Pool } from '../storage/database.ts'
import { guardRoutes } from './access.ts'
import type { Archive } from './archive.ts'
import { addAudioRoute } from './audio-route.ts'
import type { Listenings } from './audit/listenings.ts'
import type { PortalAudit } from './audit/portal-audit.ts'
import { addCallControlRoute } from './call-control-route.ts'
import { addCompletenessRoutes } from './completeness/completeness-routes.ts'
import { addContactsRoutes } from './contacts-routes.ts'
import { GatewayClient } from './gateway-client.ts'
import { handleErrors } from './handle-errors.ts'
import { addHomeRoutes } from './home/home-routes.ts'
import type { Identify } from './identity.ts'
import { addLiveCallsRoute } from './live-calls-route.ts'
import { observeRequests } from './observe-requests.ts'
import { openApiDocument } from './openapi.ts'
import type { PortalMetrics } from './portal-metrics.ts'
import { addRecordingsRoute } from './recordings-route.ts'
import { addServiceLinesRoute } from './service-lines-route.ts'
import type { Transcoder } from './transcode.ts'

export interface PortalOptions {
  readonly archive: Archive
  readonly audit: PortalAudit
  readonly listenings: Listenings
  readonly transcoder: Transcoder
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  readonly pool: Pool
  /** Of numbers without a country code. */
  readonly region: string
  readonly identify: Identify
  /** Where the node's live calls are asked, and the token that it wants. */
  readonly gateway: { readonly url: string; readonly token: string }
  readonly version: string
  readonly metrics: PortalMetrics
  readonly clock: Clock
  readonly log: Log
}

const GATEWAY_TIMEOUT_MS = 3000

/** Adds everything that the portal answers to `app`. Under /api nobody is served without being identified. */
export function addPortal(app: FastifyInstance, options: PortalOptions): void {
  const { archive, audit, transcoder, lines, identify, gateway } = options
  const { metrics, clock, log } = options
  observeRequests(app, { metrics, clock, log })

  const document = openApiDocument(options.version)
  app.get('/openapi.json', () => document)
  addHomeRoutes(app)

  app.register(
    (api, _options, registered) => {
      handleErrors(api, log)
      guardRoutes(api, { identify, audit })
      addContactsRoutes(api, { archive, audit })
      addRecordingsRoute(api, { archive, audit })
      addAudioRoute(api, { archive, listenings: options.listenings, transcoder, metrics, log })
      addServiceLinesRoute(api, serviceLinesOf(lines))
      const { pool, region } = options
      addCompletenessRoutes(api, { pool, audit, lines, region, clock })
      const node = new GatewayClient({ ...gateway, timeoutMs: GATEWAY_TIMEOUT_MS })
      addLiveCallsRoute(api, { gateway: node, audit, log })
      addCallControlRoute(api, { gateway: node, archive, audit, log })
      registered()
    },
    { prefix: '/api' },
  )
}
