import { TallenneError } from '../../base/tallenne-error.ts'
import { readSdpOffer } from '../siprec/sdp-offer.ts'
import { otherOf, type Party, type RecordingStatus, type TrunkMedia } from './trunk-media.ts'

/**
 * The media of a call that no plane has room for: the parties' descriptions pass as they are, so that they send to
 * each other by themselves, and each learns where the other is. Nothing is recorded or announced.
 */
export class UnanchoredMedia implements TrunkMedia {
  readonly status: RecordingStatus
  readonly #callerOffer: string
  readonly #said: Partial<Record<Party, string>> = {}

  /** `callerOffer` is the one in the INVITE; `problem` says why no plane took the call. */
  constructor(callerOffer: string, problem: TallenneError) {
    this.#callerOffer = callerOffer
    this.status = { kind: 'unavailable', code: problem.code, message: problem.message }
  }

  get isHeld(): boolean {
    return Object.values(this.#said).some(isHold)
  }

  onStatusChange(): void {}
  onLost(): void {}
  onMoved(): void {}

  async offerForPlatform(): Promise<string> {
    return this.#callerOffer
  }

  async answerFromPlatform(sdp: string): Promise<string> {
    return sdp
  }

  async takeAnswer(party: Party, sdp: string): Promise<void> {
    this.#said[party] = sdp
  }

  async reofferFrom(party: Party, sdp: string): Promise<string> {
    this.#said[party] = sdp
    return sdp
  }

  async reanswerTo(party: Party, sdp: string): Promise<string> {
    this.#said[otherOf(party)] = sdp
    return sdp
  }

  async announce(): Promise<void> {
    throw new TallenneError('no_announcement', 'the call has no media here to play it in')
  }

  async renewSignalling(): Promise<void> {}
  async answered(): Promise<void> {}

  async close(): Promise<null> {
    return null
  }
}

function isHold(sdp: string): boolean {
  const reading = readSdpOffer(sdp)
  if (reading.kind !== 'offer') return false
  const audio = reading.offer.media.find(({ kind, port }) => kind === 'audio' && port > 0)
  return audio !== undefined && (audio.isHeld || audio.direction !== 'sendrecv')
}
