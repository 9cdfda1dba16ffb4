import type { SdpFormat, SdpMedia } from '../../gateway/siprec/sdp-offer.ts'
import type { Endpoint } from './capture/datagrams.ts'
import type { CapturedCall } from './captured-call.ts'
import type { FlowFacts } from './flow-statistics.ts'

/** A datagram to be sent again. */
export interface MediaPacket {
  readonly atMs: number
  readonly payload: Buffer
  /** Where it came from: each source keeps a socket of its own. */
  readonly source: string
  /** It went to the RTCP port. */
  readonly isControl: boolean
}

/** The media that one m-line of the session brings. */
export interface ReplayStream {
  /** Of the m-line in the session that is played. */
  readonly index: number
  readonly from: Endpoint | undefined
  readonly to: Endpoint | undefined
  /** What its payload types mean; empty where nothing in the capture says that. */
  readonly formats: readonly SdpFormat[]
  readonly facts: FlowFacts
  readonly packets: readonly MediaPacket[]
}

/** One recording session that is played to a gateway. */
export interface ReplaySession {
  /** By which it is chosen; the first is 1. */
  readonly number: number
  /** Where it comes from: a session as it was captured, a call that is wrapped in one, or media without signalling. */
  readonly kind: 'recordingSession' | 'call' | 'media'
  readonly call: CapturedCall | undefined
  /** The description to offer, for what is no session yet; each with the m-line whose formats its sender uses. */
  readonly media: readonly SdpMedia[]
  readonly streams: readonly ReplayStream[]
  /** Capture's moment from which it is played: its answer, else its first packet. */
  readonly startMs: number
  readonly endMs: number
  /** Why it cannot be played; undefined where it can. */
  readonly obstacle: string | undefined
}
