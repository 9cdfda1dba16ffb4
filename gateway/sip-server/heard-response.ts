import type { Essentials } from './essentials.ts'
import type { SipResponse } from './sip-message.ts'
import type { Peer } from './transport.ts'

/** As much of a response as a transaction needs. */
export interface Heard {
  readonly status: number
}

/** A response as it came. */
export interface HeardResponse extends Heard {
  readonly response: SipResponse
  readonly essentials: Essentials
  readonly peer: Peer
}
