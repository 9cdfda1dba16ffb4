/** Figures of the server since its start, and its present state; for metrics. */
export interface SipServerCounters {
  /** By method. */
  readonly requestsReceived: Readonly<Record<string, number>>
  readonly requestsSent: Readonly<Record<string, number>>
  /** By class, `2xx`. */
  readonly responsesReceived: Readonly<Record<string, number>>
  readonly responsesSent: Readonly<Record<string, number>>
  /** Messages thrown away, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  readonly retransmissionsReceived: number
  readonly retransmissionsSent: number
  readonly transactions: number
  readonly connections: number
  readonly dialogs: number
  readonly clients: number
}

const METHODS = new Set([
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'REGISTER',
  'INFO',
  'PRACK',
  'UPDATE',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'PUBLISH',
])

export class MessageCounters {
  readonly #counts = {
    requestsReceived: new Map<string, number>(),
    requestsSent: new Map<string, number>(),
    responsesReceived: new Map<string, number>(),
    responsesSent: new Map<string, number>(),
    dropped: new Map<string, number>(),
  }
  retransmissionsReceived = 0
  retransmissionsSent = 0

  /** Unknown methods are counted together, so that a peer cannot make labels. */
  requestReceived(method: string): void {
    count(this.#counts.requestsReceived, labelOf(method))
  }

  requestSent(method: string): void {
    count(this.#counts.requestsSent, labelOf(method))
  }

  responseReceived(status: number): void {
    count(this.#counts.responsesReceived, classOf(status))
  }

  responseSent(status: number): void {
    count(this.#counts.responsesSent, classOf(status))
  }

  dropped(reason: string): void {
    count(this.#counts.dropped, reason)
  }

  snapshot(now: {
    readonly transactions: number
    readonly connections: number
    readonly dialogs: number
    readonly clients: number
  }): SipServerCounters {
    const { requestsReceived, requestsSent, responsesReceived, responsesSent, dropped } =
      this.#counts
    return {
      requestsReceived: Object.fromEntries(requestsReceived),
      requestsSent: Object.fromEntries(requestsSent),
      responsesReceived: Object.fromEntries(responsesReceived),
      responsesSent: Object.fromEntries(responsesSent),
      dropped: Object.fromEntries(dropped),
      retransmissionsReceived: this.retransmissionsReceived,
      retransmissionsSent: this.retransmissionsSent,
      ...now,
    }
  }
}

/** Whether the method is one that SIP's standards know. */
export function isKnownMethod(method: string): boolean {
  return METHODS.has(method)
}

function labelOf(method: string): string {
  return METHODS.has(method) ? method : 'other'
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`
}

function count(counts: Map<string, number>, label: string): void {
  counts.set(label, (counts.get(label) ?? 0) + 1)
}
