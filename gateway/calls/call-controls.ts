import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Config } from '../../config/config.ts'
import { maskingOf } from '../../config/service-lines.ts'
import { CallControl, type ControlEvents } from './call-control.ts'
import type { ContactRecord } from './contact-record.ts'
import type { RecordingOrders } from './recording-orders.ts'

export interface CallControlsOptions {
  readonly orders: RecordingOrders
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  readonly clock: Clock
  readonly log: Log
  readonly events: ControlEvents
}

/** The controls of all live calls of the node. */
export class CallControls {
  readonly #options: CallControlsOptions
  readonly #live = new Set<CallControl>()

  constructor(options: CallControlsOptions) {
    this.#options = options
  }

  /** For a call that begins; it closes the control at its end. */
  create(contact: ContactRecord): CallControl {
    const { lines, log } = this.#options
    const { callId, contactId } = contact
    const control: CallControl = new CallControl({
      ...this.#options,
      contact,
      masking: () => maskingOf(lines, contact.facts.serviceLine),
      log: log.child({ callId, contactId }),
      onClosed: () => this.#live.delete(control),
    })
    this.#live.add(control)
    return control
  }

  /** Live calls of a contact, with a Call-ID, or with a platform's own reference: there may be several. */
  find(id: string): readonly CallControl[] {
    return [...this.#live].filter(
      ({ contact: { contact } }) =>
        [contact.contactId, contact.facts.platformReference].includes(id) ||
        contact.isBroughtBy(id),
    )
  }
}
