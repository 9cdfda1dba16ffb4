import type { FileEncryption } from './page-sink.ts'
import type { SrtpPlan } from './srtp/srtp-plan.ts'

/** Whose voice a channel carries. A channel belongs to a role, whoever speaks first. Caller is channel 0. */
export type Role = 'caller' | 'agent'

/** Codecs of which each byte is a sample at 8 kHz (ITU-T G.711). */
export type CompandedCodec = 'PCMU' | 'PCMA'

/** Codecs with decoders of our own. */
export type OwnCodec = 'G722' | 'L16' | 'OPUS' | 'G726-16' | 'G726-24' | 'G726-32' | 'G726-40'

/** Codecs that ffmpeg decodes for us, a process for each stream. */
export type FilteredCodec = 'G729' | 'GSM' | 'ILBC' | 'AMR' | 'AMR-WB'

/** Codecs that a stream may carry. */
export type CodecName = CompandedCodec | OwnCodec | FilteredCodec

/** One payload type of the answer and what it means (RFC 8866 §6.6). */
export interface PayloadFormat<Codec extends CodecName = CodecName> {
  readonly payloadType: number
  readonly codec: Codec
  /** RTP clock rate in hertz; for G.722 not its sampling rate (RFC 3551 §4.5.2). */
  readonly clockRate: number
  /** Of the payload; one where absent. */
  readonly channels?: number
  /** G.726 packed as for ATM: the first sample in the most significant bits (RFC 3551 §4.5.4). */
  readonly isBigEndian?: boolean
  /** AMR and AMR-WB: what is in the payload begins at bytes (RFC 4867 §4.4); else bit follows bit. */
  readonly isOctetAligned?: boolean
}

/** A format that sounds can be played in. */
export type PlayedFormat = PayloadFormat<CompandedCodec>

/** A format whose payloads need a decoder. */
export type DecodedFormat = PayloadFormat<OwnCodec> | PayloadFormat<FilteredCodec>

/** Where a peer says that it sends from (its SDP `c=` and `m=`). */
export interface MediaAddress {
  readonly address: string
  readonly port: number
}

/** One media stream to be received, as the answer describes it. */
export interface StreamPlan {
  /** Stable through re-offers: the label, else `m` and the m-line's index. */
  readonly streamId: string
  /** The channel it is heard on; `mixed` lies on both. */
  readonly role: Role | 'mixed'
  /** False while the offer says inactive or port 0: what comes is counted and not recorded. */
  readonly isReceiving: boolean
  readonly formats: readonly PayloadFormat[]
  /** Payload types of telephone-event: kept out of the audio. */
  readonly eventPayloadTypes: readonly number[]
  /** Payload types of comfort noise (RFC 3389): silence of its length. */
  readonly comfortNoisePayloadTypes: readonly number[]
  /** Payload types of RED (RFC 2198), which carry others of these. */
  readonly redundantPayloadTypes?: readonly number[]
  /** Undefined where the offer names no usable address; then the source is learned from the first packets. */
  readonly remote: MediaAddress | undefined
  /** IP version of the address that the offer names, usable or not; absent where it names none. */
  readonly ipVersion?: 4 | 6
  /** Present where what comes is also sent on, as in a call that passes through. */
  readonly relay?: RelayPlan
  /** Present where packets are protected, in both directions. */
  readonly srtp?: SrtpPlan
  /** Keys by which the stream's party pauses the recording; absent where it may not. */
  readonly pauseCodes?: PauseCodes
  /** Tones of keys in the audio itself are taken out of it; kept where absent. */
  readonly removesTones?: boolean
}

/** Keys that a party types one after the other (RFC 4733), as `*71`. */
export interface PauseCodes {
  readonly pause: string
  readonly resume: string
}

/** By what a recording is paused, and a word of the platform's for why. */
export interface PauseCause {
  /** The platform, a party's keys, or the recording client's re-offer (RFC 7866 §7.1.2). */
  readonly by: 'api' | 'dtmf' | 'offer'
  readonly reason: string | null
}

/** A stretch of a recording that is silent because it was asked for, in milliseconds from the recording's start. */
export interface RecordingPause extends PauseCause {
  readonly fromMs: number
  /** Null while it lasts. */
  readonly toMs: number | null
}

/** How a stream is passed on. Its own party takes what comes the other way at `remote`. */
export interface RelayPlan {
  /** The stream whose party is sent what comes here. */
  readonly toStreamId: string
  /** Agreed payload types that cannot be recorded; they pass all the same. */
  readonly otherPayloadTypes: readonly number[]
  /** Where the stream's own party takes RTCP, if not at the port above `remote`. */
  readonly rtcpPort?: number
  /** The stream's own party wants nothing to be sent now. */
  readonly isMuted?: boolean
}

/** One WebSocket connection that brings a recording's audio as linear samples at 8 kHz. */
export interface ForkPlan {
  /** Opens one connection, once; stands in the URL's path. */
  readonly token: string
  /** What the interleaved channels carry, left first. */
  readonly legs: readonly ForkLegPlan[]
}

/** One channel of a fork. */
export interface ForkLegPlan {
  /** Stable through the recording: a fork that takes another's place goes on with its legs. */
  readonly streamId: string
  readonly role: Role | 'mixed'
  /** False while the party is on hold: what comes is counted and not recorded. */
  readonly isReceiving: boolean
  readonly removesTones?: boolean
}

/** A recording to be opened: ports are bound, nothing is written before the first media. */
export interface RecordingPlan {
  readonly recordingId: string
  readonly callId: string
  readonly streams: readonly StreamPlan[]
  /** Recordings that give up the sockets of the streams that they have of these, where the same engine holds them. */
  readonly after?: readonly string[]
  /** Forks that are to come, where media reaches the recorder over WebSockets. */
  readonly forks?: readonly ForkPlan[]
  /** Where the call goes on in another recording: what was ordered of the one before. */
  readonly control?: RecordingControl
  /** How many times as fast as it was spoken its media comes; absent means once. Its timeline goes as fast. */
  readonly pace?: number
}

/** What a recording that is opened in mid-call finds ordered. */
export interface RecordingControl {
  /** It begins paused, by each of these. */
  readonly pausedBy: readonly PauseCause[]
  /** Nothing is recorded any more; media passes through all the same. */
  readonly isStopped: boolean
}

/** Where the engine receives a stream. */
export interface StreamPort {
  readonly streamId: string
  readonly address: string
  readonly rtpPort: number
  readonly rtcpPort: number
}

export type Verdict = 'complete' | 'partial' | 'silent' | 'failed'

/** Why a verdict is not simply `complete`, or what marks one that is. Codes are stable. */
export type ReasonCode =
  | 'no_media'
  | 'leg_silent'
  | 'media_lost'
  | 'packets_dropped'
  | 'length_mismatch'
  | 'crash_recovered'
  | 'disk_full'
  | 'write_failed'
  | 'engine_failed'
  | 'engine_overload'
  | 'session_expired'
  | 'shutdown'
  | 'mixed_stream'
  | 'unrecordable_codec'
  | 'unauthenticated_media'
  | 'key_expired'
  | 'paused'

/** A stretch of a channel for which packets were sent and never came. */
export interface LossSpan {
  readonly channel: 0 | 1
  /** From the recording's start, milliseconds. */
  readonly fromMs: number
  readonly lengthMs: number
}

/** Each packet that reached a stream's sockets is in exactly one of these. */
export interface StreamCounters {
  readonly streamId: string
  readonly role: StreamPlan['role']
  /** What was heard last; null where nothing was. */
  readonly codec: CodecName | null
  readonly placed: number
  readonly late: number
  readonly duplicate: number
  readonly events: number
  readonly comfortNoise: number
  readonly keepAlive: number
  /** Checks of connectivity, which SIPREC needs none of. */
  readonly stun: number
  readonly zrtp: number
  readonly dtls: number
  readonly rtcp: number
  /** RTP that the kernel threw away, since what came before was not read in time; in none of the others. */
  readonly dropped: number
  /** The same of RTCP. */
  readonly droppedControl: number
  readonly wrongSource: number
  readonly wrongPayloadType: number
  readonly notRtp: number
  readonly whileInactive: number
  /** SRTP or SRTCP whose tag does not fit: tampered with, forged, or of another key. */
  readonly unauthenticated: number
  /** SRTP or SRTCP that came before. */
  readonly replayed: number
  /** SRTP or SRTCP of a key that had protected as many packets as it may, kept out. */
  readonly keyExpired: number
  /** The same where such packets are taken; counted beside the rest. */
  readonly keyOutlived: number
  /** Most packets of media in a row that could not be authenticated, with a key to do it by. */
  readonly longestUnauthenticatedRun: number
  /** Passed on, and of a codec that cannot be recorded. */
  readonly unrecordable: number
  /** Payloads that are none of their codec's. */
  readonly undecodable: number
  /** Lost packets whose audio came once more in another; counted beside the rest. */
  readonly repaired: number
  readonly lostPackets: number
  readonly ssrcChanges: number
  readonly reanchored: number
  /** RTP and RTCP that came and were sent on; each is in one of the counters above as well. */
  readonly relayed: number
  /** Accepted, and not sent on for want of an address. */
  readonly unrelayed: number
  /** RFC 3550 appendix A.8, milliseconds. */
  readonly jitterMs: number
  /** Silence that stands for packets which did not come, milliseconds. */
  readonly concealedMs: number
}

/** How a recording ended. */
export interface RecordingOutcome {
  readonly recordingId: string
  readonly verdict: Verdict
  readonly reasons: readonly ReasonCode[]
  /** Length of the audio in the file; 0 where there is none. */
  readonly durationMs: number
  /** From answer to end. */
  readonly callDurationMs: number
  /** Epoch milliseconds of the file's first sample: the answer, or up to 100 ms before where a packet began before it. */
  readonly startedAtMs: number
  readonly lostMs: number
  /** At most 1000 spans, the longest kept; `lostMs` counts all. */
  readonly lossMap: readonly LossSpan[]
  /** Absent where they went with an engine; what was told of them while it ran stands. */
  readonly pauses?: readonly RecordingPause[]
  /** Of the file as it stands on the disk. */
  readonly bytes: number
  /** Of the file; null where none was made. */
  readonly sha256: string | null
  /** Absent where the file is the audio itself. */
  readonly encryption?: FileEncryption
  /** Index of the engine that closed it; absent where none did. */
  readonly engine?: number
  readonly streams: readonly StreamCounters[]
}

/** What a live recording looks like now. Levels are dBFS of the last 100 ms, -100 when silent. */
export interface LiveRecording {
  readonly recordingId: string
  readonly durationMs: number
  readonly bytes: number
  readonly levelsDb: readonly [number, number]
  readonly lostMs: number
  /** Since the last RTP packet of any party's; absent where media does not come as RTP. */
  readonly quietMs?: number
}
