import type { Clock } from '../../base/clock.ts'
import type { TrunkTarget } from '../../config/trunk-config.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import type { SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { agentOf } from './agent-of.ts'
import type { JoinedCall } from './joined-call.ts'
import { JoinedLeg } from './joined-leg.ts'
import { type LegTimers, platformAgreement } from './leg-timers.ts'
import { type TransferOptions, transfer } from './transfer.ts'

export interface CallTransfersOptions extends Omit<TransferOptions, 'leg' | 'invite' | 'target'> {
  readonly request: SipRequest
  readonly contact: ContactRecord
  readonly timers: LegTimers
  readonly isServiceNumber: (address: string) => boolean
  readonly clock: Clock
}

/** Transfers of one call that the platform asks for, one at a time: each leaves the caller with another agent. */
export class CallTransfers {
  readonly #options: CallTransfersOptions
  #isBusy = false

  constructor(options: CallTransfersOptions) {
    this.#options = options
  }

  /** Answers the REFER and carries it out. Never rejects. */
  async take(
    refer: SipRequest,
    response: SipResponse,
    { joined, target }: { readonly joined: JoinedCall; readonly target: TrunkTarget },
  ): Promise<void> {
    if (this.#isBusy) return response.send(491, 'Request Pending', {})
    const { request, contact, timers, clock, giveUp } = this.#options
    this.#isBusy = true
    const moved = await transfer(refer, response, {
      ...this.#options,
      leg: joined.leg('platform'),
      invite: request,
      target,
    })
    this.#isBusy = false
    if (moved === undefined) return
    if (giveUp.aborted) return new JoinedLeg(moved.dialog, moved.digest).hangUp()
    contact.change(agentOf(moved.dialog.res, this.#options), clock.epochMs())
    timers.start('platform', platformAgreement(moved.dialog.res))
    await joined.replacePlatform(moved)
  }
}
