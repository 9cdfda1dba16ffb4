import { z } from 'zod'
import { shortName } from './short-name.ts'

const port = z.int().min(1).max(65535)
const host = z.string().min(1).max(253)

const server = z.strictObject({
  name: shortName,
  /** Of its event socket. */
  host,
  port: port.default(8021),
  password: z.string().min(1),
  /** The SIP profile that takes the endpoints. */
  profile: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, underscores, dots and hyphens')
    .default('drachtio_mrf'),
  /** Share of the calls; 0 takes none. */
  weight: z.int().min(0).max(1000).default(1),
  /** Where this node listens for the connection that the server makes for each endpoint. */
  listenAddress: host.default('127.0.0.1'),
  /** That address as the server reaches it, where another. */
  advertisedAddress: host.optional(),
  /** How long each endpoint holds what it hears, so that what comes a moment late is heard all the same. */
  jitterBufferMs: z.int().min(20).max(200).default(60),
})

export const freeswitchSchema = z.strictObject({
  servers: z.array(server).min(1),
  /** Where the engines listen for the audio that the servers stream. */
  forks: z
    .strictObject({
      host: host.default('127.0.0.1'),
      /** Of the first engine; each further one has the next. 0 takes free ones. */
      port: z.int().min(0).max(65535).default(0),
      /** The host as the servers reach it, where another. */
      advertisedAddress: host.optional(),
    })
    .prefault({}),
})

export type FreeswitchConfig = z.infer<typeof freeswitchSchema>
