/** What a payload type without an `a=rtpmap` means. */
export interface StaticPayloadType {
  readonly encoding: string
  /** RTP clock rate in hertz, which for G722 is not its sampling rate (RFC 3551 §4.5.2). */
  readonly clockRate: number
  readonly channels: number
}

function mono(encoding: string, clockRate = 8000): StaticPayloadType {
  return { encoding, clockRate, channels: 1 }
}

/** Audio payload types of RFC 3551 §6, and comfort noise at 19, where old Cisco systems still put it. */
export const STATIC_PAYLOAD_TYPES: ReadonlyMap<number, StaticPayloadType> = new Map([
  [0, mono('PCMU')],
  // Reserved since RFC 3551, and still what it was before it: G.721.
  [2, mono('G726-32')],
  [3, mono('GSM')],
  [4, mono('G723')],
  [5, mono('DVI4')],
  [6, mono('DVI4', 16_000)],
  [7, mono('LPC')],
  [8, mono('PCMA')],
  [9, mono('G722')],
  [10, { encoding: 'L16', clockRate: 44_100, channels: 2 }],
  [11, mono('L16', 44_100)],
  [12, mono('QCELP')],
  [13, mono('CN')],
  [14, mono('MPA', 90_000)],
  [15, mono('G728')],
  [16, mono('DVI4', 11_025)],
  [17, mono('DVI4', 22_050)],
  [18, mono('G729')],
  [19, mono('CN')],
])
