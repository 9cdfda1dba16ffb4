import { readFileSync } from 'node:fs'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { readSdpOffer, type SdpMedia } from '../../gateway/siprec/sdp-offer.ts'
import { CaptureNotes } from './capture/capture-notes.ts'
import { readDatagrams } from './capture/datagrams.ts'
import { type CapturedCall, readCalls } from './captured-call.ts'
import { CapturedMedia } from './captured-media.ts'
import { CapturedSip } from './captured-sip.ts'
import { MediaLookup } from './media-lookup.ts'
import { playableCalls, sessionsOfCalls, sessionsOfFlows } from './plan-sessions.ts'
import type { ReplaySession } from './replay-session.ts'

/** What a capture holds. */
export interface CaptureContent {
  /** Datagrams and segments over IP. */
  readonly packets: number
  readonly fromMs: number
  readonly toMs: number
  readonly sessions: readonly ReplaySession[]
  /** Calls that are not played since the capture holds their recording sessions, too. */
  readonly otherCalls: number
  /** What could not be used. */
  readonly notes: readonly string[]
}

export interface ReadCaptureOptions {
  /** A description of media without signalling; then signalling in the capture is not looked at. */
  readonly sdpPath: string | undefined
  /** The session whose media is kept; undefined keeps all, 0 none. */
  readonly chosen: number | undefined
}

/**
 * Reads a capture twice: first its signalling, then the media of it. Throws `unreadable_capture` and `unreadable_sdp`.
 */
export function readCapture(path: string, { sdpPath, chosen }: ReadCaptureOptions): CaptureContent {
  const lines = sdpPath === undefined ? undefined : readLines(sdpPath)
  const notes = new CaptureNotes()
  const sip = new CapturedSip(notes)
  let packets = 0
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = 0
  for (const captured of readDatagrams(path, notes)) {
    packets++
    fromMs = Math.min(fromMs, captured.atMs)
    toMs = Math.max(toMs, captured.atMs)
    if (lines === undefined) sip.take(captured)
  }
  sip.finish()
  const calls = readCalls(sip.messages)
  const played = playableCalls(calls)
  const isKept = (call: CapturedCall) => chosen === undefined || played[chosen - 1] === call
  const media = new CapturedMedia({
    lookup: new MediaLookup(played),
    isKept,
    keepsLone: calls.length === 0,
    formats: lines?.flatMap(({ formats }) => formats) ?? [],
  })
  // What could not be used was told the first time.
  for (const captured of readDatagrams(path, new CaptureNotes())) media.take(captured)
  const sessions =
    calls.length > 0 ? sessionsOfCalls(played, media) : sessionsOfFlows(media.loneFlows(), lines)
  const otherCalls = calls.length - played.length
  return { packets, fromMs, toMs, sessions, otherCalls, notes: notes.lines }
}

function readLines(path: string): readonly SdpMedia[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new TallenneError('unreadable_sdp', `${path} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  const reading = readSdpOffer(text)
  if (reading.kind === 'offer') return reading.offer.media
  throw new TallenneError('unreadable_sdp', `${path} is no description: ${reading.problem}.`)
}
