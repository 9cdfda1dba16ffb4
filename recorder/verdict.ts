import type { ReasonCode, Verdict } from './recording-plan.ts'

/** What is known of one channel when its recording ends. */
export interface ChannelFacts {
  /** How long a stream was to be received on it, milliseconds; 0 where the call had none for it. */
  readonly receivingMs: number
  /** Packets of audio that found their place. */
  readonly placedPackets: number
  /** Packets of audio that came too late for it. */
  readonly latePackets: number
  /** Time above the quiet level, milliseconds. */
  readonly audibleMs: number
  readonly lostMs: number
  /** Most packets in a row that could not be authenticated. */
  readonly unauthenticatedRun: number
  /** Packets of a key past its lifetime that were kept out. */
  readonly expiredPackets: number
  /** The same that were taken. */
  readonly outlivedPackets: number
  /** Whether what it carries is both parties in one stream. */
  readonly isMixed: boolean
}

export interface RecordingFacts {
  readonly channels: readonly [ChannelFacts, ChannelFacts]
  readonly longestLossMs: number
  readonly durationMs: number
  readonly callDurationMs: number
  /** Reason code of the sink's first failure. */
  readonly sinkFailure: ReasonCode | undefined
  /** Whether any audio reached the sink. */
  readonly hasFile: boolean
  /** From signalling and from the engine. */
  readonly reasons: readonly ReasonCode[]
}

/** A stream that stays without a packet is held against the recording only after so long. */
const SILENT_LEG_AFTER_MS = 3000
/** Loss is told as a reason from 1 % of a channel or one gap of 200 ms… */
const LOSS_MARKED = { ratio: 0.01, gapMs: 200 } as const
/** …and the recording is partial from 5 % of a channel or one gap of 2 s. */
const LOSS_PARTIAL = { ratio: 0.05, gapMs: 2000 } as const
/**
 * A second of packets of a key that is not the peer's, or is past its lifetime; a forged packet now and then is not held
 * against the recording.
 */
const WRONG_KEY_PACKETS = 50
/** File and call may differ by so much. */
const LENGTH_TOLERANCE_MS = 400

/**
 * How a recording ended. The first row that fits is the verdict:
 *
 * | verdict | when |
 * |---|---|
 * | `failed` | there was media and none of it could be written, or there is no file because the engine gave the recording up, the call's codec could not be recorded or its packets could not be authenticated |
 * | `silent` | no media came (`no_media`), or nothing above the quiet level in either channel |
 * | `partial` | writing ended early, a part of the call had a codec that cannot be recorded or could not be authenticated (`unauthenticated_media`) or came under a key past its lifetime (`key_expired`), the node was stopped while the call went on (`shutdown`), a crash was repaired, one leg stayed without a packet (`leg_silent`), 5 % of a channel or 2 s in one piece were lost or an overloaded engine read 1 % of a channel too late (`media_lost`), or file and call differ by more than 400 ms (`length_mismatch`) |
 * | `complete` | everything else; reasons may still mark it |
 *
 * docs/verdicts.md says the same to operators.
 */
export function giveVerdict(facts: RecordingFacts): {
  readonly verdict: Verdict
  readonly reasons: readonly ReasonCode[]
} {
  const reasons = new Set<ReasonCode>(facts.reasons)
  const isLocked = facts.channels.some(
    ({ unauthenticatedRun }) => unauthenticatedRun >= WRONG_KEY_PACKETS,
  )
  if (isLocked) reasons.add('unauthenticated_media')
  const isExpired = facts.channels.some(({ expiredPackets }) => expiredPackets >= WRONG_KEY_PACKETS)
  if (isExpired || facts.channels.some(({ outlivedPackets }) => outlivedPackets > 0)) {
    reasons.add('key_expired')
  }
  const isCut =
    isLocked ||
    isExpired ||
    facts.sinkFailure !== undefined ||
    reasons.has('engine_failed') ||
    reasons.has('unrecordable_codec')
  if (facts.sinkFailure !== undefined) reasons.add(facts.sinkFailure)
  const hasMedia = facts.channels.some((channel) => channel.placedPackets > 0)
  if (!hasMedia) reasons.add('no_media')
  if (facts.channels.some((channel) => channel.isMixed)) reasons.add('mixed_stream')
  if (!facts.hasFile && (hasMedia || isCut)) return told('failed', reasons)
  if (!hasMedia || !facts.channels.some((channel) => channel.audibleMs > 0)) {
    return told('silent', reasons)
  }
  const isLegMissing = facts.channels.some(
    (channel) => channel.placedPackets === 0 && channel.receivingMs >= SILENT_LEG_AFTER_MS,
  )
  if (facts.channels.some((channel) => channel.audibleMs === 0)) reasons.add('leg_silent')
  const isLossy = isBeyond(facts, LOSS_PARTIAL) || isBehind(facts, reasons)
  if (isLossy || isBeyond(facts, LOSS_MARKED)) reasons.add('media_lost')
  const isOff = Math.abs(facts.durationMs - facts.callDurationMs) > LENGTH_TOLERANCE_MS
  if (isOff) reasons.add('length_mismatch')
  const isEarly = reasons.has('crash_recovered') || reasons.has('shutdown')
  const isPartial = isCut || isEarly || isLegMissing || isLossy || isOff
  return told(isPartial ? 'partial' : 'complete', reasons)
}

function isBeyond(
  facts: RecordingFacts,
  limit: { readonly ratio: number; readonly gapMs: number },
): boolean {
  if (facts.longestLossMs >= limit.gapMs) return true
  const lengthMs = Math.max(1, facts.durationMs)
  return facts.channels.some((channel) => channel.lostMs / lengthMs >= limit.ratio)
}

/** An engine that fell behind read packets after the call had ended: their audio is in no slot and in no loss map. */
function isBehind(facts: RecordingFacts, reasons: ReadonlySet<ReasonCode>): boolean {
  if (!reasons.has('engine_overload')) return false
  return facts.channels.some(
    ({ latePackets, placedPackets }) => latePackets > placedPackets * LOSS_MARKED.ratio,
  )
}

function told(verdict: Verdict, reasons: ReadonlySet<ReasonCode>) {
  return { verdict, reasons: [...reasons] }
}
