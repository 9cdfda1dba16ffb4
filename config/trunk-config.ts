import { z } from 'zod'
import { addressBlock } from './address-block.ts'
import { certificateName } from './certificate-name.ts'
import { shortName } from './short-name.ts'
import { srtpPolicy, targetSrtp } from './srtp-config.ts'
import { e164 } from './telephone-number.ts'

const sipUri = z
  .string()
  .regex(/^sips?:[^\s<>"]+$/, 'a SIP URI, as sip:192.0.2.20:5060;transport=tcp')

const sounds = z.array(z.string().min(1)).min(1)

const credentials = z.strictObject({
  user: z.string().min(1),
  password: z.string().min(1),
})

const target = z.strictObject({
  /** Where the call goes. Without a user part the dialled number is put there. */
  uri: sipUri,
  /** Lower is tried first. */
  priority: z.int().min(0).max(65_535).default(1),
  /** Share among targets of one priority; 0 is used only where nothing else is left. */
  weight: z.int().min(0).max(65_535).default(1),
  /** Digest credentials, where the target asks for them (RFC 8760). */
  credentials: credentials.optional(),
  /** A trusted target is told P-Asserted-Identity even where the caller asks for privacy (RFC 3325 §9.1). */
  isTrusted: z.boolean().default(true),
  /** How the call's media is protected on the way there, on the direct plane; as the caller's where absent. */
  srtp: targetSrtp.optional(),
})

const route = z.strictObject({
  name: shortName,
  /** Source addresses that the route takes calls from; any where absent. */
  from: z.array(addressBlock).min(1).optional(),
  /** Names of which the caller's certificate has one; any where absent. */
  tlsNames: z.array(certificateName).min(1).optional(),
  /** Dialled numbers, exactly; any where neither numbers nor prefixes are given. */
  numbers: z.array(e164).optional(),
  /** Dialled numbers that begin so. */
  prefixes: z.array(z.string().regex(/^\+?\d{1,15}$/, 'a plus sign and digits')).optional(),
  targets: z.array(target).min(1),
  /** Where recording cannot start: `prefer` lets the call go on, `require` refuses it, `off` never records. */
  recording: z.enum(['prefer', 'require', 'off']).default('prefer'),
  media: z.enum(['direct', 'freeswitch']).default('direct'),
  /** What becomes of callers' offers with regard to SRTP, on the direct plane. */
  srtp: srtpPolicy.default('allow'),
  /**
   * Where nothing has room for the call's media: `pass` lets the parties send to each other by themselves, unrecorded,
   * `refuse` leaves the call to the sender's next node. A call that must be recorded is refused in any case.
   */
  withoutMedia: z.enum(['pass', 'refuse']).default('pass'),
  /** `pass` hands a REFER to the other party, `handle` carries the transfer out here. */
  refer: z.enum(['pass', 'handle']).default('pass'),
  /** How long a target may ring before the next is tried. */
  ringTimeoutS: z.int().min(1).max(600).default(60),
  /** How long a target may take to say anything at all. */
  responseTimeoutS: z.int().min(1).max(32).default(4),
  /**
   * What the caller hears before the call is passed on: WAV files of one channel at 8 kHz, one after the other, as
   * one for each language; a service line may have its own. Relative to the configuration file.
   */
  announcement: z
    .strictObject({
      files: z.array(z.string().min(1)).default([]),
      lines: z.record(z.string(), sounds).default({}),
    })
    .optional(),
})

export const trunkSchema = z.strictObject({
  routes: z.array(route).default([]),
  keepAlive: z
    .strictObject({
      /** Seconds between the OPTIONS to a target; 0 sends none. */
      everyS: z.int().min(0).max(3600).default(30),
      /** So many unanswered in a row and the target is down. */
      failures: z.int().min(1).max(100).default(2),
    })
    .prefault({}),
})

export type TrunkConfig = z.infer<typeof trunkSchema>
export type TrunkRoute = TrunkConfig['routes'][number]
export type TrunkTarget = TrunkRoute['targets'][number]
