import { z } from 'zod'
import { admissionSchema } from './admission-config.ts'
import { disksSchema } from './disks-config.ts'
import { encryptionSchema } from './encryption-config.ts'
import { freeswitchSchema } from './freeswitch-config.ts'
import { joiningSchema } from './joining-config.ts'
import { journalSchema } from './journal-config.ts'
import { maskingSchema } from './masking-config.ts'
import { shortName } from './short-name.ts'
import { sipSchema } from './sip-config.ts'
import { siprecSchema } from './siprec-config.ts'
import { e164 } from './telephone-number.ts'
import { trunkSchema } from './trunk-config.ts'

const port = z.int().min(1).max(65535)
const host = z.string().min(1)
/** Where a process's HTTP listens: on this machine alone until configured. */
const httpEndpoint = (defaultPort: number) =>
  z.strictObject({ host: host.default('127.0.0.1'), port: port.default(defaultPort) }).prefault({})

/** By the names of RTP; `G726` stands for all its rates. */
const CODECS = [
  ...(['PCMA', 'PCMU', 'G722', 'OPUS', 'G729', 'G726', 'AMR-WB', 'AMR', 'ILBC', 'GSM'] as const),
  'L16',
] as const

const media = z.strictObject({
  /** Address that RTP sockets are bound to. */
  bindAddress: host.default('127.0.0.1'),
  /** Address put into SDP answers; the bind address where absent. */
  advertisedAddress: host.optional(),
  /** The same of the other IP version, for clients whose media comes by it. */
  otherVersion: z
    .strictObject({ bindAddress: host, advertisedAddress: host.optional() })
    .optional(),
  ports: z
    .strictObject({
      from: port.default(20_000),
      to: port.default(29_999),
      restS: z.number().min(0).max(600).default(10),
    })
    .prefault({}),
  /** Engine threads; by default one for each core. */
  engines: z.int().min(1).max(256).optional(),
  maxRecordings: z.int().min(1).default(2000),
  /** Codecs that are taken, where this machine decodes them; our own offers name them in this order. */
  codecs: z
    .array(z.enum(CODECS))
    .min(1)
    .default([...CODECS]),
  /** Decoder processes at a time, one for each stream of a codec that ffmpeg decodes. */
  maxDecoders: z.int().min(0).max(10_000).default(64),
  holdBackMs: z.int().min(100).max(1000).default(500),
  /** SRTP of keys that have protected more packets than they may is recorded all the same. */
  takesExpiredKeys: z.boolean().default(false),
  opus: z
    .strictObject({
      complexity: z.int().min(0).max(10).default(3),
      /** How far complexity is lowered where an engine does not keep up. */
      leastComplexity: z.int().min(0).max(10).default(0),
      bitrateBps: z.int().min(8_000).max(64_000).default(24_000),
    })
    .prefault({}),
  skipsQuiet: z.boolean().default(true),
  quietDb: z.number().min(-90).max(-30).default(-55),
  /** FreeSWITCH servers for trunk routes and recording clients with `media: freeswitch`. */
  freeswitch: freeswitchSchema.optional(),
})

/** Names of the sources in their default order; see docs/identification.md. */
const identification = z.strictObject({
  /** Region for numbers without a country code, ISO 3166-1. */
  region: z.string().length(2).default('FI'),
  caller: z.array(z.string()).min(1).optional(),
  serviceNumber: z.array(z.string()).min(1).optional(),
  agent: z.array(z.string()).min(1).optional(),
  platformReference: z.array(z.string()).min(1).optional(),
  /**
   * Recording clients whose streams carry the other party than their metadata says: the host of their Contact,
   * or a part of their User-Agent.
   */
  crossedStreams: z.array(z.string().min(1)).default([]),
})

const serviceLine = z.strictObject({
  name: shortName,
  numbers: z.array(e164),
  period: z
    .string()
    .regex(
      /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?$/,
      'an ISO 8601 duration of years, months, weeks or days, as P2M',
    )
    .nullable(),
  timeZone: z.string().min(1).default('Europe/Helsinki'),
  masking: maskingSchema.optional(),
})

const database = z.strictObject({
  socketPath: z.string().min(1).optional(),
  host: host.optional(),
  port: port.default(3306),
  user: z.string().min(1).default('tallenne'),
  password: z.string().optional(),
  database: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,64}$/, '1 to 64 letters, digits and underscores')
    .default('tallenne'),
  connections: z.int().min(1).max(200).default(8),
})

const http = z.strictObject({
  portal: httpEndpoint(8080),
  gateway: httpEndpoint(8081),
  retention: httpEndpoint(8082),
})

export const configSchema = z.strictObject({
  node: z
    .strictObject({
      id: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, dots, underscores and hyphens')
        .default('node-1'),
    })
    .prefault({}),
  /** Base folder of everything that Tallenne writes; relative paths below are under it. */
  dataPath: z.string().min(1).default('data'),
  disks: disksSchema.prefault({}),
  admission: admissionSchema.prefault({}),
  sip: sipSchema.prefault({}),
  media: media.prefault({}),
  trunk: trunkSchema.prefault({}),
  siprec: siprecSchema.prefault({}),
  identification: identification.prefault({}),
  joining: joiningSchema.prefault({}),
  serviceLines: z.array(serviceLine).default([
    { name: 'asiakastuki', numbers: ['+12025550100'], period: 'P2M', timeZone: 'Europe/Helsinki' },
    {
      name: 'puhelunvalitys',
      numbers: ['+12025550101'],
      period: 'P6M',
      timeZone: 'Europe/Helsinki',
    },
  ]),
  /** The line of contacts whose service number is no line's: kept until somebody decides, and alarmed. */
  catchAll: z
    .strictObject({
      name: shortName.default('tunnistamaton'),
      timeZone: z.string().min(1).default('Europe/Helsinki'),
      masking: maskingSchema.optional(),
    })
    .prefault({}),
  database: database.prefault({}),
  journal: journalSchema.prefault({}),
  http: http.prefault({}),
  encryption: encryptionSchema.prefault({}),
  retention: z.strictObject({ sweepEveryS: z.int().min(1).max(86_400).default(60) }).prefault({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') })
    .prefault({}),
})

/** The checked configuration of every process. */
export type Config = z.infer<typeof configSchema>
