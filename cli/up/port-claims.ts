import { createServer, type Server } from 'node:net'
import { type Address, formatAddress } from '../../base/address.ts'

/**
 * Ports that one `up` has settled on and nobody listens on yet, seen by every other `up` of this machine: between
 * finding a port free and the process that listens there lie the seconds in which the database is made.
 *
 * A claim is an abstract Unix socket named after the address (unix(7)). Such names live in the network namespace, as
 * ports do, and go with the process that holds them, however it ends.
 */
export class PortClaims {
  readonly #held = new Map<string, Server>()

  /** False where another process has claimed the address. */
  async take(address: Address): Promise<boolean> {
    const key = formatAddress(address)
    if (this.#held.has(key)) return true
    const server = createServer((socket) => socket.destroy())
    const isOurs = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen({ path: `\0tallenne-port-${key}`, exclusive: true }, () => resolve(true))
    })
    if (isOurs) this.#held.set(key, server.unref())
    return isOurs
  }

  /** Lets all go. Idempotent. */
  release(): void {
    for (const server of this.#held.values()) server.close()
    this.#held.clear()
  }
}
