import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { TrunkMedia } from '../media/trunk-media.ts'
import type { JoinedLeg } from './joined-leg.ts'

/**
 * Where the INVITE had no offer, the answer to ours comes with the ACK (RFC 3261 §13.2.1). False where it is none that
 * the media can take.
 */
export async function takeLateAnswer(
  leg: JoinedLeg,
  media: TrunkMedia,
  log: Log,
): Promise<boolean> {
  try {
    await media.takeAnswer('caller', await leg.nextAck())
    return true
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'caller’s answer cannot be taken')
    return false
  }
}
