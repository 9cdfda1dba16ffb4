import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Party } from '../media/trunk-media.ts'
import type { PlatformDialog } from '../sip/call-maker.ts'
import { isDialogGone } from '../sip/is-dialog-gone.ts'
import { type DialogRenewer, renewDialog } from '../sip/renew-dialog.ts'
import type { JoinedLeg } from './joined-leg.ts'
import type { LegTimers } from './leg-timers.ts'

export interface LegRenewalsOptions {
  readonly legOf: (party: Party) => JoinedLeg
  /** What the party has of us now. */
  readonly localSdpOf: (party: Party) => string
  readonly timers: LegTimers
  /** How often a party is asked whether it is still there, where it cannot say BYE. */
  readonly askEveryMs: number
  /** Refreshes the session with the party. */
  readonly refresh: (party: Party) => Promise<void>
  /** Another dialog stands in the place of the party's. */
  readonly onRenewed: (party: Party, dialog: PlatformDialog) => Promise<void>
  /** A party no longer knows its dialog. */
  readonly onGone: () => void
  readonly clock: Clock
  readonly log: Log
}

/** The dialogs of one call whose SIP server was lost, until they are renewed. Owns its timer. */
export class LegRenewals {
  readonly #options: LegRenewalsOptions
  readonly #lost = new Set<Party>()
  /** Parties whose own requests the SIP server refuses since it lost sight of us. */
  readonly #unheard = new Set<Party>()
  #asking: Timer | undefined
  #isClosed = false

  constructor(options: LegRenewalsOptions) {
    this.#options = options
  }

  /** Whether a dialog is lost and not renewed yet. */
  get isPending(): boolean {
    return !this.#isClosed && this.#lost.size > 0
  }

  /** The SIP server is lost with both dialogs. Idempotent. */
  lose(): void {
    for (const party of ['caller', 'platform'] as const) {
      this.#lost.add(party)
      this.#options.legOf(party).serverLost()
    }
  }

  /** Takes lost dialogs up again, through the SIP server that is back or another. */
  async renew(framework: DialogRenewer): Promise<void> {
    await Promise.all([...this.#lost].map((party) => this.#renew(party, framework)))
  }

  /** Renews nothing any more. Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#asking?.cancel()
  }

  async #renew(party: Party, framework: DialogRenewer): Promise<void> {
    const { legOf, localSdpOf, timers, clock, log, refresh, onRenewed, onGone } = this.#options
    const leg = legOf(party)
    const renewal = await renewDialog(leg.dialog, {
      framework,
      clock,
      localSdp: localSdpOf(party),
      headers: timers.refreshHeaders(party),
    })
    const isCurrent = legOf(party) === leg && !this.#isClosed
    switch (renewal.kind) {
      case 'gone':
        if (isCurrent) onGone()
        return
      case 'unanswered':
        log.warn({ party, reason: renewal.reason }, 'dialog of a lost SIP server is not renewed')
        return
      case 'kept':
        if (!isCurrent) return void leg.hangUp()
        this.#lost.delete(party)
        this.#askAfter(party)
        // The peer learns by the first refresh that the next ones are ours as well.
        return timers.takeOver(party) ? refresh(party) : undefined
      case 'renewed':
        if (!isCurrent) return void renewal.dialog.destroy().catch(() => undefined)
        this.#lost.delete(party)
        this.#unheard.delete(party)
        timers.refreshed(party)
        return onRenewed(party, renewal.dialog)
    }
  }

  #askAfter(party: Party): void {
    const { clock, askEveryMs } = this.#options
    this.#unheard.add(party)
    this.#asking ??= clock.every(askEveryMs, () => {
      for (const unheard of this.#unheard) void this.#ask(unheard)
    })
  }

  async #ask(party: Party): Promise<void> {
    const { status } = await this.#options.legOf(party).statusOf({ method: 'OPTIONS' })
    if (isDialogGone(status) && !this.#isClosed) this.#options.onGone()
  }
}
