import type { Clock, Timer } from '../../base/clock.ts'
import type { LiveRecording } from '../../recorder/recording-plan.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'

/** A SIP server as calls need it. */
export interface CallServer {
  readonly framework: DialogRenewer & {
    on(event: 'connect', listener: (failure: Error | null) => void): unknown
    on(event: 'close', listener: () => void): unknown
  }
  readonly isConnected: boolean
}

/** A call whose dialogs are on a SIP server. */
export interface ServedCall {
  readonly recordingId: string
  /** Its SIP server was lost, and nothing can be heard or asked of its dialogs. */
  readonly isOrphaned: boolean
  /** Its parties may well be silent now. */
  readonly isHeld: boolean
  /** Its SIP server is lost. Idempotent. */
  serverLost(): void
  /** Takes its dialogs up again, through the server that held them or another. Never rejects. */
  renew(framework: DialogRenewer): Promise<void>
  end(endReason: 'sip_server_lost'): Promise<void>
}

export interface ServedCallsOptions<Call extends ServedCall> {
  readonly calls: () => readonly Call[]
  /** How live recordings are now. */
  readonly recordings: () => Promise<readonly LiveRecording[]>
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly quietMs: number
  readonly clock: Clock
}

const LOOK_EVERY_MS = 2000
/** A server that is back within that time takes its calls up again itself; later another one does. */
const RENEW_EVERY_MS = 6000
/** Each is two re-INVITEs; a server that has just come up has new calls to take as well. */
const PARALLEL = 16

/**
 * Looks after calls whose SIP server is lost. Their media goes on without it and is recorded; their dialogs are
 * renewed when a server is there, and a call whose parties have fallen silent before that is ended.
 *
 * Owns its timers; the calls end by themselves.
 */
export class ServedCalls<Call extends ServedCall> {
  readonly #options: ServedCallsOptions<Call>
  readonly #servers: CallServer[] = []
  readonly #serverOf = new WeakMap<Call, CallServer>()
  #timers: readonly Timer[] = []

  constructor(options: ServedCallsOptions<Call>) {
    this.#options = options
  }

  /** The first server that can be asked; undefined while none is connected. */
  get connected(): CallServer | undefined {
    return this.#servers.find(({ isConnected }) => isConnected)
  }

  /** Idempotent. */
  add(server: CallServer): void {
    if (this.#servers.includes(server)) return
    this.#servers.push(server)
    server.framework.on('close', () => {
      for (const call of this.#callsOf(server)) call.serverLost()
    })
    server.framework.on('connect', (failure) => {
      if (failure === null) void this.#renew(this.#callsOf(server), server)
    })
  }

  /** Notes which server a call's dialogs are on. */
  hold(call: Call, server: CallServer): void {
    this.#serverOf.set(call, server)
  }

  /** Idempotent. */
  start(): void {
    if (this.#timers.length > 0) return
    const { clock } = this.#options
    this.#timers = [
      clock.every(LOOK_EVERY_MS, () => void this.#endSilent()),
      clock.every(RENEW_EVERY_MS, () => this.#renewOrphans()),
    ]
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
  }

  #renewOrphans(): void {
    for (const call of this.#orphans()) {
      const own = this.#serverOf.get(call)
      const server = own?.isConnected ? own : this.connected
      if (server !== undefined) void this.#renew([call], server)
    }
  }

  async #renew(calls: readonly Call[], server: CallServer): Promise<void> {
    const queue = calls.filter((call) => call.isOrphaned)
    const worker = async () => {
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
        this.#serverOf.set(call, server)
        await call.renew(server.framework)
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker))
  }

  /** A call that nobody can hang up is over when its parties have fallen silent. */
  async #endSilent(): Promise<void> {
    const orphans = this.#orphans().filter((call) => !call.isHeld)
    if (orphans.length === 0) return
    const live = await this.#options.recordings().catch(() => [])
    const quietMs = new Map(live.map((recording) => [recording.recordingId, recording.quietMs]))
    for (const call of orphans) {
      if ((quietMs.get(call.recordingId) ?? 0) < this.#options.quietMs) continue
      void call.end('sip_server_lost')
    }
  }

  #orphans(): readonly Call[] {
    return this.#options.calls().filter((call) => call.isOrphaned)
  }

  #callsOf(server: CallServer): readonly Call[] {
    return this.#options.calls().filter((call) => this.#serverOf.get(call) === server)
  }
}
