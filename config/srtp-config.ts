import { z } from 'zod'

/**
 * What becomes of a peer's offer, with regard to SRTP: `allow` takes it protected or in the clear, as it is offered;
 * `require` refuses what is not protected; `refuse` refuses what must be protected.
 */
export const srtpPolicy = z.enum(['allow', 'require', 'refuse'])

/**
 * How a target is offered a call: `mirror` as the caller offered it, `off` in the clear, `offer` in the clear with
 * keys beside it, which the target may use, `require` protected.
 */
export const targetSrtp = z.enum(['mirror', 'off', 'offer', 'require'])

export type SrtpPolicy = z.infer<typeof srtpPolicy>
export type TargetSrtp = z.infer<typeof targetSrtp>
