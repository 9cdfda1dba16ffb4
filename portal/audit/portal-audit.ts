import type { Clock } from '../../base/clock.ts'
import {
  type Actor,
  type AuditAction,
  type AuditDetail,
  auditEvent,
} from '../../storage/audit/audit-event.ts'
import type { AuditQueue } from '../../storage/audit/audit-queue.ts'
import type { AuditTrail } from '../../storage/audit/audit-trail.ts'
import type { ContactFilter } from '../../storage/model.ts'
import type { Identity } from '../identity.ts'
import { RecentKeys } from './recent-keys.ts'

export interface PortalAuditOptions {
  readonly trail: Pick<AuditTrail, 'record'>
  readonly queue: Pick<AuditQueue, 'record'>
  readonly clock: Clock
  /** What stands for a number in the trail. */
  readonly pseudonymOf: (number: string) => string
  /** Numbers that the configuration names anyway, in E.164. */
  readonly publicNumbers: ReadonlySet<string>
}

/** Something that is about to be shown or was ordered. */
export interface Deed {
  readonly action: AuditAction
  readonly contactId?: string | null
  readonly recordingId?: string | null
  readonly details?: Readonly<Record<string, AuditDetail>>
}

/** What somebody sees again and again, as a page that asks every second, is told once in this time. */
const SAME_MS = 60_000
/** Whoever has asked for nothing for so long signs in anew. */
const SIGNED_IN_MS = 1_800_000
/** Wrong tokens from more addresses than this in a minute are told of together. */
const STRANGERS_PER_MINUTE = 100

/** The part of the audit trail that the portal writes. */
export class PortalAudit {
  readonly #options: PortalAuditOptions
  readonly #seen: RecentKeys
  readonly #signedIn: RecentKeys
  readonly #strangers: RecentKeys

  constructor(options: PortalAuditOptions) {
    const { clock } = options
    this.#options = options
    this.#seen = new RecentKeys({ clock, keptMs: SAME_MS, most: 10_000 })
    this.#signedIn = new RecentKeys({ clock, keptMs: SIGNED_IN_MS, most: 10_000 })
    this.#strangers = new RecentKeys({ clock, keptMs: SAME_MS, most: STRANGERS_PER_MINUTE })
  }

  /**
   * Somebody is to be shown something: resolves when that stands in the trail, and before nothing may be shown. Rejects
   * with `audit_unavailable`. `key` tells what is the same within a minute.
   */
  async show(identity: Identity | null, deed: Deed, key: AuditDetail = null): Promise<void> {
    const actor = actorOf(identity)
    const { action, contactId = null, recordingId = null } = deed
    const same = JSON.stringify([actor, action, contactId, recordingId, key])
    if (this.#seen.has(same)) return
    await this.#options.trail.record(auditEvent({ ...this.#now(actor), ...deed }))
    this.#seen.add(same)
  }

  /** A page of contacts is to be shown. Of the numbers that were searched for, pseudonyms stay. */
  async showSearch(
    identity: Identity | null,
    { cursor, limit, ...filter }: ContactFilter,
    shown: number,
  ): Promise<void> {
    const details = {
      ...this.#filterDetails(filter),
      limit,
      shown,
      ...(cursor === undefined ? {} : { isContinued: true }),
    }
    const key = JSON.stringify([filter, limit, cursor ?? null])
    await this.show(identity, { action: 'search', details }, key)
  }

  /** As `show`, for what must be seen while the database is away. Never rejects. */
  async noteShown(identity: Identity | null, deed: Deed): Promise<void> {
    const same = JSON.stringify([actorOf(identity), deed])
    if (!this.#seen.touch(same)) await this.note(identity, deed)
  }

  /** Something was done that waits for no database. Never rejects. */
  async note(identity: Identity | null, deed: Deed): Promise<void> {
    await this.#options.queue.record(auditEvent({ ...this.#now(actorOf(identity)), ...deed }))
  }

  /** Somebody is known, by a request from `address`. Never rejects. */
  async signedIn(identity: Identity, address: string): Promise<void> {
    const actor = actorOf(identity)
    const isKnown = this.#signedIn.touch(JSON.stringify([actor, address]))
    if (isKnown) return
    await this.note(identity, { action: 'sign_in', details: { address, role: identity.role } })
  }

  /** Somebody showed credentials that nobody has. Never rejects. */
  async strangerCame(address: string): Promise<void> {
    if (this.#strangers.touch(address)) return
    const isCrowd = this.#strangers.isFull
    if (isCrowd && this.#strangers.touch('many')) return
    await this.note(null, {
      action: 'sign_in_failed',
      details: { address: isCrowd ? 'many' : address },
    })
  }

  #now(actor: Actor) {
    return { actor, atMs: this.#options.clock.epochMs() }
  }

  #filterDetails(
    filter: Omit<ContactFilter, 'cursor' | 'limit'>,
  ): Readonly<Record<string, AuditDetail>> {
    const { fromMs, toMs, caller, serviceNumber, ...names } = filter
    const instant = (epochMs: number) => new Date(epochMs).toISOString()
    return {
      ...(names as Readonly<Record<string, string>>),
      ...(fromMs === undefined ? {} : { from: instant(fromMs) }),
      ...(toMs === undefined ? {} : { to: instant(toMs) }),
      ...(caller === undefined ? {} : { caller: this.#hidden(caller) }),
      ...(serviceNumber === undefined ? {} : { serviceNumber: this.#hidden(serviceNumber) }),
    }
  }

  #hidden(number: string): string {
    const { publicNumbers, pseudonymOf } = this.#options
    return publicNumbers.has(number) ? number : pseudonymOf(number)
  }
}

/** Who stands in the trail for a request. */
export function actorOf(identity: Identity | null): Actor {
  return identity === null
    ? { kind: 'system', name: 'unknown' }
    : { kind: 'token', name: identity.name }
}
