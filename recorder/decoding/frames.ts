/** The frames of a payload in their order, all of one length in time; undefined for one that is silence. */
export type Frames = readonly (Uint8Array | undefined)[]

const G729_FRAME = 10
/** An annex B description of silence, which ends a payload or is all of it. */
const G729_SILENCE = 2
const GSM_FRAME = 33
/** The upper half of the first byte of every frame (RFC 3551 §4.5.8.1). */
const GSM_SIGNATURE = 0xd
const ILBC_FRAME_20 = 38
const ILBC_FRAME_30 = 50
/** 240 ms. */
const MOST_FRAMES = 24

/**
 * Frames of 10 ms each (RFC 3551 §4.5.6). Behind an annex B frame comes silence, as long as timestamps say. Undefined
 * where the payload is none of G.729.
 */
export function readG729Frames(payload: Uint8Array): Frames | undefined {
  const rest = payload.length % G729_FRAME
  if (rest !== 0 && rest !== G729_SILENCE) return undefined
  return cut(payload, G729_FRAME)
}

/** Full-rate frames of 20 ms each (RFC 3551 §4.5.8). Undefined where the payload is none. */
export function readGsmFrames(payload: Uint8Array): Frames | undefined {
  if (payload.length % GSM_FRAME !== 0) return undefined
  const frames = cut(payload, GSM_FRAME)
  return frames?.every((frame) => (frame?.[0] ?? 0) >> 4 === GSM_SIGNATURE) ? frames : undefined
}

/** How long the frames of an iLBC payload are (RFC 3952 §4); undefined where it is none. */
export function ilbcFrameMs(payload: Uint8Array): 20 | 30 | undefined {
  if (payload.length % ILBC_FRAME_20 === 0) return 20
  return payload.length % ILBC_FRAME_30 === 0 ? 30 : undefined
}

/** Frames of 20 or 30 ms each. Undefined where the payload is none. */
export function readIlbcFrames(payload: Uint8Array, frameMs: 20 | 30): Frames | undefined {
  return cut(payload, frameMs === 20 ? ILBC_FRAME_20 : ILBC_FRAME_30)
}

function cut(payload: Uint8Array, frameBytes: number): Frames | undefined {
  const count = Math.floor(payload.length / frameBytes)
  if (count > MOST_FRAMES) return undefined
  return Array.from({ length: count }, (_, index) =>
    payload.subarray(index * frameBytes, (index + 1) * frameBytes),
  )
}
