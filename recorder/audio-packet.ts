import { type SampleSource, sampleAt } from './sample-source.ts'

/** A packet of audio to be placed. Times and lengths are samples at 8 kHz. */
export interface AudioPacket extends SampleSource {
  /** Extended RTP timestamp of its first sample. */
  readonly timestamp: number
  /** When it arrived, as a position with fractions. */
  readonly arrivedAt: number
  /** It may have come by so much earlier: whoever reads its socket was held up. */
  readonly waited: number
  /**
   * How many sequence numbers are missing between the highest before it and its own; negative where it is not the
   * highest itself.
   */
  readonly missing: number
  /** Opus packets of 20 ms each that the audio can be stored as, in their order; undefined where it has to be encoded. */
  readonly opus: readonly Uint8Array[] | undefined
  /** By how many samples its Opus packets stand behind it: players take that delay out themselves. */
  readonly delay: number
  /** So many samples before it nobody sent, though its number follows: the codec before delayed sound for longer. */
  readonly gap: number
}

/** An audio packet that is filled again and again, so that none costs an object. */
export type ReusedAudioPacket = { -readonly [Field in keyof AudioPacket]: AudioPacket[Field] }

/** One to be filled: of linear samples at 8 kHz, until told otherwise. */
export function reusedAudioPacket(): ReusedAudioPacket {
  return {
    timestamp: 0,
    arrivedAt: 0,
    waited: 0,
    missing: 0,
    datagram: new Uint8Array(0),
    offset: 0,
    length: 0,
    table: undefined,
    stride: 2,
    density: 1,
    opus: undefined,
    delay: 0,
    gap: 0,
  }
}

const QUIET_PEAK = 200

/** Whether nothing in the packet can be heard, so that time can be taken out or put in beside it. */
export function isQuiet(packet: AudioPacket): boolean {
  for (let index = 0; index < packet.length * packet.density; index++) {
    const sample = sampleAt(packet, index)
    if (sample > QUIET_PEAK || sample < -QUIET_PEAK) return false
  }
  return true
}
