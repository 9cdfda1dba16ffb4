import type { ReadHeaders } from './recording-session-request.ts'

/**
 * How many times as fast as they were spoken the media of a session comes, which `tallenne replay --speed` says of what
 * it plays: up to 8, since more does not fit between two turns of an engine. Taken from this machine alone: nobody else's clock is theirs to set.
 */
export function replayPace(headers: ReadHeaders, sourceAddress: string): number {
  if (!/^(127\.|::1$|::ffff:127\.)/.test(sourceAddress)) return 1
  const [value = ''] = headers('X-Tallenne-Replay-Speed')
  return /^[1-8]$/.test(value) ? Number(value) : 1
}
