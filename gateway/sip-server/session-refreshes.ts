import type { Clock } from '../../base/clock.ts'
import type { Dialog } from './dialog.ts'
import type { IncomingRequest } from './incoming-request.ts'
import { field, fieldValue, type HeaderField } from './message-writer.ts'
import { responseText } from './responses.ts'
import type { ServerTransactions } from './server-transactions.ts'
import { headerValue, type SipResponse } from './sip-message.ts'

/** The shortest interval that is accepted, seconds (RFC 4028 §4). */
const MIN_EXPIRES_S = 90

/** A drachtio server spreads its refreshes by as much to either side, milliseconds. */
const SPREAD_MS = 5_000

interface SessionExpires {
  readonly seconds: number
  readonly refresher: 'uac' | 'uas' | undefined
}

export interface SessionRefreshEvents {
  /** It is this side's turn to refresh. */
  readonly onRefreshDue: (dialog: Dialog, expiresS: number, minS: number) => void
  /** The peer did not refresh in time. */
  readonly onExpired: (dialog: Dialog) => void
}

/**
 * Session timers (RFC 4028), kept the way a drachtio server keeps them: it refreshes by itself at half of the
 * interval where that is this side's task, and ends the call where the peer's refresh does not come.
 */
export class SessionRefreshes {
  readonly #clock: Clock
  readonly #transactions: ServerTransactions
  readonly #events: SessionRefreshEvents
  readonly #intervals = new WeakMap<Dialog, number>()

  constructor(options: {
    readonly clock: Clock
    readonly transactions: ServerTransactions
    readonly events: SessionRefreshEvents
  }) {
    this.#clock = options.clock
    this.#transactions = options.transactions
    this.#events = options.events
  }

  /** A request within a dialog, which may refresh it. False where it is answered 422, its interval being too short. */
  heardRequest(dialog: Dialog, incoming: IncomingRequest): boolean {
    const { request } = incoming
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return true
    const asked = parseSessionExpires(headerValue(request, 'session-expires'))
    this.#stop(dialog)
    if (asked === undefined) return true
    if (asked.seconds < MIN_EXPIRES_S) {
      const text = responseText(request, {
        status: 422,
        reason: 'Session Interval Too Small',
        toTag: incoming.toTag(),
        fields: [field('Min-SE', String(MIN_EXPIRES_S))],
      })
      this.#transactions.respond(incoming, 422, text)
      return false
    }
    this.#arm(dialog, asked.seconds, asked.refresher === 'uas')
    return true
  }

  /**
   * The success of a first INVITE starts the timer that the client wrote into it, or else the one that the request
   * asked for, naming its refresher. Gives the headers that the response lacks then.
   */
  fieldsOf(
    incoming: IncomingRequest,
    answer: { readonly status: number; readonly fields: readonly HeaderField[] },
  ): readonly HeaderField[] {
    const { dialog, request, essentials } = incoming
    const isFirst = request.method === 'INVITE' && essentials.toTag === undefined
    if (!isFirst || answer.status !== 200 || dialog === undefined) return []
    const given = parseSessionExpires(fieldValue(answer.fields, 'session-expires'))
    const asked = parseSessionExpires(headerValue(request, 'session-expires'))
    const agreed = given ?? (asked?.refresher === undefined ? undefined : asked)
    if (agreed === undefined) return []
    const seconds = Math.max(MIN_EXPIRES_S, agreed.seconds)
    this.#arm(dialog, seconds, agreed.refresher === 'uas')
    if (given !== undefined) return []
    return [field('Session-Expires', `${seconds};refresher=${agreed.refresher}`)]
  }

  /** The success of our INVITE. */
  heardResponse(dialog: Dialog, response: SipResponse): void {
    const agreed = parseSessionExpires(headerValue(response, 'session-expires'))
    if (agreed !== undefined) this.#arm(dialog, agreed.seconds, agreed.refresher !== 'uas')
  }

  /** The refresh met the peer's own; later once more. */
  again(dialog: Dialog): void {
    const seconds = this.#intervals.get(dialog)
    if (seconds !== undefined) this.#arm(dialog, seconds, true)
  }

  #arm(dialog: Dialog, seconds: number, isOurs: boolean): void {
    this.#stop(dialog)
    this.#intervals.set(dialog, seconds)
    if (isOurs) {
      const delayMs = seconds * 500 + (Math.random() * 2 - 1) * SPREAD_MS
      dialog.sessionTimer = this.#clock.after(Math.max(0, delayMs), () => {
        this.#events.onRefreshDue(dialog, seconds, MIN_EXPIRES_S)
      })
    } else {
      dialog.sessionTimer = this.#clock.after(seconds * 1_000, () => this.#events.onExpired(dialog))
    }
  }

  #stop(dialog: Dialog): void {
    dialog.sessionTimer?.cancel()
    dialog.sessionTimer = undefined
  }
}

function parseSessionExpires(value: string | undefined): SessionExpires | undefined {
  const match = /^\s*(\d{1,7})\s*(;.*)?$/.exec(value ?? '')
  if (!match) return undefined
  const [, digits = '', parameters = ''] = match
  const named = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(parameters)?.[1]?.toLowerCase()
  return {
    seconds: Number(digits),
    refresher: named === 'uac' || named === 'uas' ? named : undefined,
  }
}
