import type {
  CodecName,
  DecodedFormat,
  FilteredCodec,
  PayloadFormat,
  StreamPlan,
} from '../recording-plan.ts'
import type { Density } from '../sample-density.ts'
import { readAmrFrames } from './amr-frames.ts'
import {
  type Frames,
  ilbcFrameMs,
  readG729Frames,
  readGsmFrames,
  readIlbcFrames,
} from './frames.ts'

/** A kind of stream that one ffmpeg process decodes from its beginning to its end. */
export interface FilterKind {
  readonly name: string
  /** ffmpeg's name of the input. */
  readonly inputFormat: string
  /** What stands before the first frame. */
  readonly header: string
  /** Of the known sample; frames of AMR are as long as their mode says. */
  readonly frameBytes: number
  /** Samples at 8 kHz. */
  readonly frameSamples: number
  readonly density: Density
  /** By how much encoder and decoder together delay sound, samples at 8 kHz. */
  readonly delay: number
}

/** A payload as frames of a kind. */
export interface FramedPayload {
  readonly kind: FilterKind
  readonly frames: Frames
}

/** 5 ms that encoders look ahead. */
const LOOKAHEAD = 40

const G729 = kind('G729', {
  inputFormat: 'g729',
  frameBytes: 10,
  frameSamples: 80,
  delay: LOOKAHEAD,
})
const GSM = kind('GSM', { inputFormat: 'gsm', frameBytes: 33 })
const ILBC_20 = kind('ILBC 20 ms', {
  inputFormat: 'ilbc',
  header: '#!iLBC20\n',
  frameBytes: 38,
})
const ILBC_30 = kind('ILBC 30 ms', {
  inputFormat: 'ilbc',
  header: '#!iLBC30\n',
  frameBytes: 50,
  frameSamples: 240,
})
const AMR = kind('AMR', {
  inputFormat: 'amr',
  header: '#!AMR\n',
  frameBytes: 32,
  delay: LOOKAHEAD,
})
const AMR_WB = kind('AMR-WB', {
  inputFormat: 'amr',
  header: '#!AMR-WB\n',
  frameBytes: 33,
  density: 2,
  // Besides, 15/16 ms in the filters between 12.8 and 16 kHz.
  delay: LOOKAHEAD + 7,
})

function kind(
  name: string,
  fields: Pick<FilterKind, 'inputFormat' | 'frameBytes'> & Partial<FilterKind>,
): FilterKind {
  return { name, header: '', frameSamples: 160, density: 1, delay: 0, ...fields }
}

/** Every kind that a codec's streams may be of. */
export const FILTER_KINDS: Readonly<Record<FilteredCodec, readonly FilterKind[]>> = {
  G729: [G729],
  GSM: [GSM],
  ILBC: [ILBC_20, ILBC_30],
  AMR: [AMR],
  'AMR-WB': [AMR_WB],
}

export function isFiltered(format: DecodedFormat): format is PayloadFormat<FilteredCodec> {
  return isFilteredCodec(format.codec)
}

export function isFilteredCodec(codec: CodecName): codec is FilteredCodec {
  return codec in FILTER_KINDS
}

/** Whether nothing of what a stream may bring is decoded without a process. */
export function needsProcess({ formats }: Pick<StreamPlan, 'formats'>): boolean {
  return formats.length > 0 && formats.every(({ codec }) => isFilteredCodec(codec))
}

/** The frames of a payload; undefined where it is none of its codec's. */
export function frameFilteredPayload(
  payload: Uint8Array,
  { codec, isOctetAligned = false }: PayloadFormat<FilteredCodec>,
): FramedPayload | undefined {
  switch (codec) {
    case 'G729':
      return framed(G729, readG729Frames(payload))
    case 'GSM':
      return framed(GSM, readGsmFrames(payload))
    case 'ILBC': {
      const frameMs = ilbcFrameMs(payload)
      if (frameMs === undefined) return undefined
      return framed(frameMs === 20 ? ILBC_20 : ILBC_30, readIlbcFrames(payload, frameMs))
    }
    case 'AMR':
      return framed(AMR, readAmrFrames(payload, { codec, isOctetAligned }))
    case 'AMR-WB':
      return framed(AMR_WB, readAmrFrames(payload, { codec, isOctetAligned }))
  }
}

function framed(kind: FilterKind, frames: Frames | undefined): FramedPayload | undefined {
  return frames && { kind, frames }
}
