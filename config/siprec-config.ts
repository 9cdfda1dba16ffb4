import { z } from 'zod'
import { addressBlock } from './address-block.ts'
import { certificateName } from './certificate-name.ts'
import { shortName } from './short-name.ts'
import { srtpPolicy } from './srtp-config.ts'

const peer = z.strictObject({
  /** For mistakes and logs. */
  name: shortName,
  /** Source addresses of the recording client; any where absent. */
  from: z.array(addressBlock).min(1).optional(),
  /** Names of which its certificate has one; any where absent. */
  tlsNames: z.array(certificateName).min(1).optional(),
  /** Where its streams end: at the recorder itself, or at a FreeSWITCH. */
  media: z.enum(['direct', 'freeswitch']).default('direct'),
  /** What its re-offers mean that are inactive and say no more: a pause of the recording (where absent), or a hold of the call. */
  inactive: z.enum(['pause', 'hold']).optional(),
  /** What becomes of its offers with regard to SRTP, on the direct plane; `siprec.srtp` where absent. */
  srtp: srtpPolicy.optional(),
})

export const siprecSchema = z.strictObject({
  /**
   * What becomes of an INVITE without any sign of a recording session that no trunk route takes. Where nothing
   * is said, it is recorded if there are no trunk routes.
   */
  unmarked: z.enum(['record', 'refuse']).optional(),
  /** What becomes of offers of protected and of plain media, on the direct plane. */
  srtp: srtpPolicy.default('allow'),
  /** Recording clients that are treated apart; the first that an address fits counts. All others are `direct`. */
  peers: z.array(peer).default([]),
  /**
   * What a recording client is told when its recording is stopped and the call goes on: `inactive` asks it in a
   * re-INVITE to send nothing more, `bye` ends the recording session.
   */
  onStop: z.enum(['inactive', 'bye']).default('inactive'),
})

export type SiprecConfig = z.infer<typeof siprecSchema>

export type SiprecPeer = z.infer<typeof peer>
