import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { TrunkMedia } from '../media/trunk-media.ts'

/** Plays files to the caller in turn, until `cancel`; one that cannot be played costs nothing but itself. */
export async function playAnnouncement(
  files: readonly string[],
  options: {
    readonly media: TrunkMedia
    readonly cancel: AbortSignal
    /** Sends the caller the description that it needs to hear them. */
    readonly onAnswer: (sdp: string) => void
    readonly onFailed: () => void
    readonly log: Log
  },
): Promise<void> {
  const { media, cancel, onAnswer, onFailed, log } = options
  for (const file of files) {
    if (cancel.aborted) return
    try {
      await media.announce(file, { cancel, onAnswer })
    } catch (error) {
      onFailed()
      log.error({ file, reason: messageOf(error) }, 'announcement not played')
    }
  }
}
