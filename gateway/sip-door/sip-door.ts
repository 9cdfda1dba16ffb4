import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { SipConfig } from '../../config/sip-config.ts'
import { AddressBlocks } from '../sip/address-blocks.ts'
import type { Admission, Door, Offence, Sender } from '../sip-server/door.ts'
import { field, type HeaderField } from '../sip-server/message-writer.ts'
import type { OwnStatus } from '../sip-server/responses.ts'
import { headerValue, type SipRequest } from '../sip-server/sip-message.ts'
import { sourceKey } from '../sip-server/source-key.ts'
import type { Peer } from '../sip-server/transport.ts'
import { type Ban, BanList, type BanReason } from './ban-list.ts'
import { BoundedMap } from './bounded-map.ts'
import { DigestJudge } from './digest-judge.ts'
import { Nonces } from './nonces.ts'
import type { PeerTable, Standing } from './peer-table.ts'
import { RequestRate } from './request-rate.ts'

type Claimant = Extract<Standing, { readonly kind: 'claimant' }>

export type AdmissionOutcome =
  | 'admitted'
  | 'challenged'
  | 'refused'
  | 'dropped'
  | 'too_many_requests'
  | 'too_many_dialogs'

export interface DoorEvents {
  admission(outcome: AdmissionOutcome): void
  banned(reason: BanReason): void
}

export interface SipDoorOptions {
  readonly peers: PeerTable
  readonly strangers: 'take' | 'refuse' | 'drop'
  readonly digest: SipConfig['digest']
  readonly guard: SipConfig['guard']
  /** How many dialogs there are with that address. */
  readonly dialogsWith: (host: string) => number
  readonly clock: Clock
  readonly log: Log
  readonly events: DoorEvents
}

/** How long an address that has proven credentials, or a name, counts as a peer's. */
const PROVEN_MS = 3_600_000
const MOST_PROVEN = 10_000
const MAKES_DIALOG = new Set(['INVITE', 'SUBSCRIBE'])

/**
 * Decides who is let in to the embedded SIP server: peers by address, certificate or credentials, so many requests of
 * each, and nobody who is banned. It answers without state: what is refused leaves no transaction.
 */
export class SipDoor implements Door {
  readonly #options: SipDoorOptions
  readonly #judge: DigestJudge
  readonly #requests: RequestRate
  readonly #answers: RequestRate
  readonly #bans: BanList
  readonly #neverBanned: AddressBlocks
  readonly #scanners: readonly string[]
  /** Until when sources that have proven themselves count as peers, monotonic milliseconds. */
  readonly #proven = new BoundedMap<number>(MOST_PROVEN)

  constructor(options: SipDoorOptions) {
    this.#options = options
    const { guard, clock } = options
    this.#judge = new DigestJudge(options.digest, new Nonces(clock))
    this.#requests = new RequestRate(guard.requestsPerS, clock)
    this.#answers = new RequestRate(guard.strangerAnswersPerS, clock)
    this.#neverBanned = new AddressBlocks(guard.neverBan)
    this.#scanners = guard.scannerAgents.map((agent) => agent.toLowerCase())
    this.#bans = new BanList({
      offencesAMinute: guard.offencesAMinute,
      banMs: guard.banS * 1000,
      clock,
      onBanned: (ban) => this.#tell(ban),
    })
  }

  /** Bans that hold. */
  get bans(): readonly Ban[] {
    return this.#bans.list()
  }

  /** Lets an address in again. False where it was not banned. */
  lift(address: string): boolean {
    return this.#bans.lift(sourceKey(address))
  }

  isShut({ host, transport, names }: Sender): boolean {
    if (this.#bans.isEmpty || !this.#bans.isBanned(sourceKey(host), transport)) return false
    // Who it is, its certificate tells only after the handshake.
    if (transport === 'tls' && names === undefined) return !this.#options.peers.hasNamed
    return !this.#isKept({ address: host, names: names ?? [] })
  }

  admit(request: SipRequest, peer: Peer): Admission {
    const { strangers } = this.#options
    const standing = this.#standingOf(peer)
    if (standing.kind !== 'peer' && this.#isScanner(request) && this.#ban('scanner', peer)) {
      return this.#drop('banned')
    }
    switch (standing.kind) {
      case 'peer':
        if (peer.names.length > 0) this.#prove(peer)
        return this.#admitPeer(request, peer)
      case 'claimant':
        return this.#admitClaimant(request, peer, standing)
      case 'stranger':
        if (strangers === 'take') return this.#admitPeer(request, peer)
        this.#note('stranger', peer)
        if (!this.#mayAnswer(peer, standing)) return this.#drop('unknown_peer')
        return this.#refuse('refused', 403)
    }
  }

  mayAnswer(peer: Peer): boolean {
    return this.#options.strangers === 'take' || this.#mayAnswer(peer, this.#standingOf(peer))
  }

  #mayAnswer(peer: Peer, { kind }: Standing): boolean {
    const { strangers } = this.#options
    if (strangers === 'take') return true
    if (kind === 'peer') return true
    if (this.#isProven(peer)) return this.#requests.take(sourceKey(peer.host))
    if (kind === 'stranger' && strangers === 'drop') return false
    return this.#answers.take(sourceKey(peer.host))
  }

  offended(offence: Offence, peer: Peer): void {
    this.#note(offence, peer)
  }

  #admitPeer(request: SipRequest, peer: Peer): Admission {
    const { guard, dialogsWith } = this.#options
    if (!this.#requests.take(sourceKey(peer.host))) {
      return this.#refuse('too_many_requests', 503, [field('Retry-After', '2')])
    }
    if (MAKES_DIALOG.has(request.method) && dialogsWith(peer.host) >= guard.maxDialogsPerSource) {
      return this.#refuse('too_many_dialogs', 503, [field('Retry-After', '10')])
    }
    this.#options.events.admission('admitted')
    return { kind: 'admitted' }
  }

  #admitClaimant(request: SipRequest, peer: Peer, claimant: Claimant): Admission {
    const source = sourceKey(peer.host)
    const verdict = this.#judge.judge(request, source, claimant.credentials)
    if (verdict.kind === 'right') {
      this.#prove(peer)
      return this.#admitPeer(request, peer)
    }
    // Everybody's first request brings none; it is those that go on like that who are guessing.
    this.#note('credentials', peer)
    if (!this.#mayAnswer(peer, claimant)) return this.#drop('unproven_peer')
    const isStale = verdict.kind === 'stale'
    return this.#refuse('challenged', 401, this.#judge.challenge(source, { isStale }))
  }

  #standingOf({ host, names }: Peer): Standing {
    return this.#options.peers.standingOf({ address: host, names })
  }

  #refuse(
    outcome: AdmissionOutcome,
    status: OwnStatus,
    fields: readonly HeaderField[] = [],
  ): Admission {
    this.#options.events.admission(outcome)
    return { kind: 'refused', status, fields }
  }

  #drop(reason: string): Admission {
    this.#options.events.admission('dropped')
    return { kind: 'dropped', reason }
  }

  #isScanner(request: SipRequest): boolean {
    const agent = headerValue(request, 'user-agent')?.toLowerCase()
    return agent !== undefined && this.#scanners.some((scanner) => agent.includes(scanner))
  }

  #note(reason: BanReason, peer: Peer): void {
    if (this.#isSpared(peer)) return
    this.#bans.note(sourceKey(peer.host), reason, peer.transport.name)
  }

  /** False for one that is never banned. */
  #ban(reason: BanReason, peer: Peer): boolean {
    if (this.#isSpared(peer)) return false
    this.#bans.ban(sourceKey(peer.host), reason, peer.transport.name)
    return true
  }

  /** Whoever the configuration names, has proven to be a peer, or is in a call with us, is never banned. */
  #isSpared(peer: Peer): boolean {
    if (this.#isKept({ address: peer.host, names: peer.names })) return true
    return this.#isProven(peer) || this.#options.dialogsWith(peer.host) > 0
  }

  #isKept(source: { readonly address: string; readonly names: readonly string[] }): boolean {
    return this.#neverBanned.has(source.address) || this.#options.peers.isConfigured(source)
  }

  #prove(peer: Peer): void {
    this.#proven.set(sourceKey(peer.host), this.#options.clock.monotonicMs() + PROVEN_MS)
  }

  #isProven(peer: Peer): boolean {
    return (this.#proven.get(sourceKey(peer.host)) ?? 0) > this.#options.clock.monotonicMs()
  }

  #tell({ source, reason, scope, untilMs }: Ban): void {
    this.#options.events.banned(reason)
    const until = new Date(untilMs).toISOString()
    this.#options.log.warn({ source, reason, scope, until }, 'SIP source banned')
  }
}
