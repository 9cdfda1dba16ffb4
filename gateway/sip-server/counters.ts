import type { CutOffReason } from './transport.ts'

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
  /** Requests of peers and of ours that came to nothing, by why. */
  readonly failedReceived: Readonly<Record<string, number>>
  readonly failedSent: Readonly<Record<string, number>>
  /** By transport, then by who opened them: `in` the peer, `out` this server. */
  readonly connectionsOpened: Readonly<Record<string, Tally>>
  /** By transport, then by why this side ended them. */
  readonly connectionsCut: Readonly<Record<string, Tally>>
  readonly transactions: number
  readonly connections: number
  readonly dialogs: number
  readonly clients: number
  /** Of each address with TLS, in the order of the configuration. */
  readonly certificates: readonly CertificateState[]
}

type Tally = Readonly<Record<string, number>>

/** The present state, as against what has been counted. */
export type SipServerState = Pick<
  SipServerCounters,
  'transactions' | 'connections' | 'dialogs' | 'clients' | 'certificates'
>

/** The certificate of one address with TLS. */
export interface CertificateState {
  /** Milliseconds since 1970; undefined before the start. */
  readonly expiresAtMs: number | undefined
  /** How often changed files were read. */
  readonly reloads: number
  /** How often changed files made no whole. */
  readonly failedReloads: number
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
    failedReceived: new Map<string, number>([
      ['unanswered', 0],
      ['ack_missing', 0],
    ]),
    failedSent: new Map<string, number>([
      ['timeout', 0],
      ['unreachable', 0],
    ]),
  }
  readonly #opened = new Map<string, Map<string, number>>()
  readonly #cut = new Map<string, Map<string, number>>()
  retransmissionsReceived = 0
  retransmissionsSent = 0

  connected(transport: string, direction: 'in' | 'out'): void {
    countBelow(this.#opened, transport, direction)
  }

  cutOff(transport: string, reason: CutOffReason): void {
    countBelow(this.#cut, transport, reason)
  }

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

  /** Nobody answered a peer's request, or the peer never acknowledged the answer. */
  receivedFailed(reason: 'unanswered' | 'ack_missing'): void {
    count(this.#counts.failedReceived, reason)
  }

  /** No final answer came to a request of ours, or it could not be sent. */
  sentFailed(reason: 'timeout' | 'unreachable'): void {
    count(this.#counts.failedSent, reason)
  }

  dropped(reason: string): void {
    count(this.#counts.dropped, reason)
  }

  snapshot(now: SipServerState): SipServerCounters {
    const counts = this.#counts
    return {
      requestsReceived: Object.fromEntries(counts.requestsReceived),
      requestsSent: Object.fromEntries(counts.requestsSent),
      responsesReceived: Object.fromEntries(counts.responsesReceived),
      responsesSent: Object.fromEntries(counts.responsesSent),
      dropped: Object.fromEntries(counts.dropped),
      failedReceived: Object.fromEntries(counts.failedReceived),
      failedSent: Object.fromEntries(counts.failedSent),
      retransmissionsReceived: this.retransmissionsReceived,
      retransmissionsSent: this.retransmissionsSent,
      connectionsOpened: talliesOf(this.#opened),
      connectionsCut: talliesOf(this.#cut),
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

function countBelow(counts: Map<string, Map<string, number>>, key: string, label: string): void {
  const below = counts.get(key) ?? new Map<string, number>()
  counts.set(key, below)
  count(below, label)
}

function talliesOf(counts: ReadonlyMap<string, ReadonlyMap<string, number>>) {
  return Object.fromEntries([...counts].map(([key, below]) => [key, Object.fromEntries(below)]))
}
