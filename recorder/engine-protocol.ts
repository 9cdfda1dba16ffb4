import type { PauseSwitch } from './pauses.ts'
import type {
  ForkPlan,
  LiveRecording,
  PauseCause,
  PlayedFormat,
  RecordingOutcome,
  RecordingPause,
  RecordingPlan,
  StreamPlan,
  StreamPort,
} from './recording-plan.ts'

/**
 * What passes between the main thread and an engine thread. Every request but `close` of a closed
 * recording is answered by exactly one reply with its `requestId`.
 */
export type EngineRequest =
  | { readonly kind: 'open'; readonly requestId: number; readonly plan: RecordingPlan }
  /** The timeline's zero: sent when the 2xx leaves. */
  | {
      readonly kind: 'answered'
      readonly requestId: number
      readonly recordingId: string
      readonly answeredAtMs: number
    }
  /**
   * A re-offer: streams that are named are changed or added, those that are absent stop receiving. What is added is
   * taken from the recordings that have it, as when one is opened `after` them.
   */
  | {
      readonly kind: 'update'
      readonly requestId: number
      readonly recordingId: string
      readonly streams: readonly StreamPlan[]
      readonly after?: readonly string[]
    }
  | {
      readonly kind: 'close'
      readonly requestId: number
      readonly recordingId: string
      readonly endedAtMs: number
      /** Reasons that signalling knows of, added to the verdict's. */
      readonly reasons: RecordingOutcome['reasons']
    }
  /**
   * From a moment on the recording holds silence, to the sample, as far as that moment's audio is still held back.
   * Done where it is paused already, too.
   */
  | {
      readonly kind: 'pause'
      readonly requestId: number
      readonly recordingId: string
      readonly atMs: number
      readonly cause: PauseCause
    }
  /** Ends a pause; done where there is none, too. */
  | {
      readonly kind: 'resume'
      readonly requestId: number
      readonly recordingId: string
      readonly atMs: number
      readonly held: PauseSwitch
    }
  /**
   * Ends the recording, whose outcome is the reply, and leaves its media as it is: what passes through passes on until
   * `close`, which replies with the same outcome.
   */
  | {
      readonly kind: 'stop'
      readonly requestId: number
      readonly recordingId: string
      readonly endedAtMs: number
    }
  /** Another connection in the place of a fork that ended: its samples go on in the same channels. */
  | {
      readonly kind: 'fork'
      readonly requestId: number
      readonly recordingId: string
      readonly fork: ForkPlan
    }
  /**
   * Sends a sound file to a stream's party from now on; done at its end, at `hush`, or when the recording closes.
   * Refused with `unreadable_sound` where the file is none.
   */
  | {
      readonly kind: 'play'
      readonly requestId: number
      readonly recordingId: string
      readonly streamId: string
      readonly file: string
      readonly format: PlayedFormat
    }
  /** Ends what plays to a stream's party. */
  | {
      readonly kind: 'hush'
      readonly requestId: number
      readonly recordingId: string
      readonly streamId: string
    }
  | { readonly kind: 'live'; readonly requestId: number }
  | { readonly kind: 'shutdown'; readonly requestId: number }

export type EngineReply =
  | {
      readonly kind: 'opened'
      readonly requestId: number
      readonly ports: readonly StreamPort[]
      /** Where the engine takes forks; absent where it takes none. */
      readonly forkPort?: number
    }
  | { readonly kind: 'updated'; readonly requestId: number; readonly ports: readonly StreamPort[] }
  | { readonly kind: 'done'; readonly requestId: number }
  | { readonly kind: 'closed'; readonly requestId: number; readonly outcome: RecordingOutcome }
  | {
      readonly kind: 'live'
      readonly requestId: number
      readonly recordings: readonly LiveRecording[]
    }
  /** `code`: `no_ports`, `no_files`, `no_decoders`, `too_many_recordings`, `unknown_recording`, `engine_failed`. */
  | {
      readonly kind: 'refused'
      readonly requestId: number
      readonly code: string
      readonly message: string
    }

/** Unasked: a fork ended by itself, with its WebSocket's close code. */
export interface ForkEnded {
  readonly kind: 'forkEnded'
  readonly recordingId: string
  readonly token: string
  readonly code: number
}

/** Unasked: a fork came. */
export interface ForkConnected {
  readonly kind: 'forkConnected'
  readonly recordingId: string
  readonly token: string
}

/** Unasked: nothing is recorded any more, though the call may go on. Its verdict comes at `close`. */
export interface RecordingStopped {
  readonly kind: 'recordingStopped'
  readonly recordingId: string
  readonly code: 'engine_failed' | 'disk_full' | 'write_failed'
}

/** Unasked: a pause began or ended, whatever brought it about. Told before the reply to what asked for it. */
export interface PausesChanged {
  readonly kind: 'pausesChanged'
  readonly recordingId: string
  /** What holds the recording paused now. */
  readonly pausedBy: readonly PauseCause[]
  readonly pauses: readonly RecordingPause[]
}

/** What an engine says without being asked. */
export type EngineNotice =
  | EngineReport
  | ForkEnded
  | ForkConnected
  | RecordingStopped
  | PausesChanged

/** Unasked: what operations watch, once a second. All counts are totals since the engine's start. */
export interface EngineReport {
  readonly kind: 'report'
  readonly recordings: number
  /** Pairs of ports, RTP and RTCP: those of calls, those that rest after one, and those that a call may have. */
  readonly portsInUse: number
  readonly portsResting: number
  readonly portsFree: number
  /** Decoder processes that run. */
  readonly decoders: number
  /** How late the batch timer was at worst in the last second, milliseconds. */
  readonly lagMs: number
  /** The part of the last second in which the thread was busy, 0 to 1. */
  readonly load: number
  /** What the load would be if the encoders were set to the least complexity. */
  readonly leastLoad: number
  /** That the encoders are set to now. */
  readonly complexity: number
  /** Files that the process can still open, and its limit. */
  readonly filesFree: number
  readonly filesLimit: number
  readonly counters: Readonly<Record<string, number>>
}

/** Recipients of age, `age1…`: those that are configured, and those of a file that may change. */
export interface EncryptionSettings {
  readonly recipients: readonly string[]
  readonly recipientsFile?: string | undefined
  /** All of them at the node's start. */
  readonly atStart: { readonly list: readonly string[]; readonly keySet: string }
}

/** How an engine thread is set up (its `workerData`). */
export interface EngineSettings {
  readonly engineIndex: number
  /** The address sockets are bound to. */
  readonly bindAddress: string
  /** The address put into answers; often the same. */
  readonly advertisedAddress: string
  /** The same of the other IP version, for streams that come by it; absent where the node has one alone. */
  readonly otherVersion?: { readonly bindAddress: string; readonly advertisedAddress: string }
  /** This engine's own range of even RTP ports; RTCP is one above. */
  readonly portFrom: number
  readonly portTo: number
  /** A released port rests so long before it is used again. */
  readonly portRestMs: number
  readonly maxRecordings: number
  /** Decoder processes at a time. */
  readonly maxDecoders: number
  /** How long audio is held back for stragglers, milliseconds. */
  readonly holdBackMs: number
  /** SRTP of keys that are past their lifetime is recorded all the same; kept out where absent. */
  readonly takesExpiredKeys?: boolean
  readonly opus: {
    readonly complexity: number
    /** How far complexity is lowered where the engine does not keep up; to 0 where absent. */
    readonly leastComplexity?: number
    readonly bitrateBps: number
  }
  /** A leg below `quietDb` (dBFS) for 200 ms is written as silence without encoding; false encodes all. */
  readonly skipsQuiet: boolean
  readonly quietDb: number
  /** Folder of open recordings. */
  readonly spoolPath: string
  /** Whom recordings are encrypted to; absent where they are not. */
  readonly encryption?: EncryptionSettings
  /** Where the engine listens for WebSocket forks; absent where it takes none. */
  readonly forkListen?: { readonly host: string; readonly port: number }
}
