import { z } from 'zod'
import { certificateName } from './certificate-name.ts'
import { digestSchema, guardSchema, sipPeer } from './sip-door-config.ts'

const port = z.int().min(1).max(65535)
const host = z.string().min(1)

const tls = z.strictObject({
  /** PEM file with the certificate and its issuers, from this one upwards. Relative to the configuration file. */
  cert: z.string().min(1),
  /** PEM file with the private key. */
  key: z.string().min(1),
  /** PEM file with the authorities that peers' certificates may be from; those of Node.js where absent. */
  ca: z.string().min(1).optional(),
  /** A client that shows a certificate must show a good one, but for `none`, which asks for none. */
  clientCertificate: z.enum(['none', 'request', 'require']).default('none'),
  /** Names of which a client's certificate must have one; any where absent. */
  clientNames: z.array(certificateName).min(1).optional(),
  /** What a server that is connected to must prove: its name, only that the authorities know it, or nothing. */
  serverCertificate: z.enum(['name', 'authority', 'any']).default('name'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
})

const sipListen = z.strictObject({
  transport: z.enum(['udp', 'tcp', 'tls']),
  host,
  port,
  /** With the transport `tls`, and only there. */
  tls: tls.optional(),
})

const drachtioServer = z.strictObject({
  host,
  port: port.default(9022),
  secret: z.string().min(1),
})

/** Connections of the embedded server, over TCP and TLS. */
const streams = z.strictObject({
  /** A message that has not come whole in so long is refused, and its connection cut off. */
  messageTimeoutS: z.number().min(1).max(60).default(10),
  /** A multipart body that is shorter than its Content-Length is taken when nothing more has come for so long. */
  stalledBodyS: z.number().min(0.1).max(30).default(1),
  /** A connection that has carried nothing for so long is closed. */
  idleTimeoutS: z.number().min(10).max(86_400).default(3600),
  /** Pings go so often over a quiet connection that was opened from here; 0 sends none. */
  pingEveryS: z.number().min(0).max(3600).default(120),
  /** At a time, for each address that is listened on. */
  maxConnections: z.int().min(1).max(65_535).default(2000),
  /** Of those, from one address. */
  maxConnectionsPerSource: z.int().min(1).max(65_535).default(500),
})

export const sipSchema = z.strictObject({
  /** Where the embedded SIP server listens. Not used with `drachtio`. */
  listen: z
    .array(sipListen)
    .min(1)
    .default([
      { transport: 'udp', host: '127.0.0.1', port: 5060 },
      { transport: 'tcp', host: '127.0.0.1', port: 5060 },
    ]),
  streams: streams.prefault({}),
  /** Who may call, beside whom `siprec.peers` and `trunk.routes` name by address or certificate. */
  peers: z.array(sipPeer).default([]),
  /** What becomes of requests of anybody else; taken where there are no peers here, else refused. */
  strangers: z.enum(['take', 'refuse', 'drop']).optional(),
  digest: digestSchema.prefault({}),
  guard: guardSchema.prefault({}),
  /** drachtio servers to connect to instead of the embedded server. */
  drachtio: z.array(drachtioServer).min(1).optional(),
  sessionTimer: z
    .strictObject({
      expiresS: z.int().min(90).max(86_400).default(1800),
      minS: z.int().min(90).max(86_400).default(90),
    })
    .prefault({}),
})

export type SipConfig = z.infer<typeof sipSchema>
export type SipListen = SipConfig['listen'][number]
