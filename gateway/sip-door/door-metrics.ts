import { Counter, Gauge, type Registry } from 'prom-client'
import type { BanReason } from './ban-list.ts'
import type { AdmissionOutcome, DoorEvents } from './sip-door.ts'

/** Counts who came to the embedded SIP server's door and what became of them. */
export class DoorMetrics implements DoorEvents {
  readonly #admissions: Counter
  readonly #bans: Counter

  constructor(registry: Registry, banned: () => number) {
    const registers = [registry]
    this.#admissions = new Counter({
      name: 'tallenne_sip_admissions_total',
      help: 'Requests outside of dialogs that came to the embedded SIP server, by what became of them.',
      labelNames: ['outcome'],
      registers,
    })
    this.#bans = new Counter({
      name: 'tallenne_sip_bans_total',
      help: 'Sources that were banned, by reason.',
      labelNames: ['reason'],
      registers,
    })
    new Gauge({
      name: 'tallenne_sip_banned_sources',
      help: 'Sources that are banned now.',
      registers,
      collect() {
        this.set(banned())
      },
    })
  }

  admission(outcome: AdmissionOutcome): void {
    this.#admissions.inc({ outcome })
  }

  banned(reason: BanReason): void {
    this.#bans.inc({ reason })
  }
}
