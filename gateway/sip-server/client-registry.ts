import type { ClientConnection } from './client-connection.ts'

/** Which clients want which requests. Those of one method get them in turn. */
export class ClientRegistry {
  readonly #routes = new Map<string, ClientConnection[]>()
  readonly #turns = new Map<string, number>()

  /** `method` in lower case, as in the protocol. */
  add(client: ClientConnection, method: string): void {
    const clients = this.#routes.get(method) ?? []
    if (!clients.includes(client)) clients.push(client)
    this.#routes.set(method, clients)
  }

  remove(client: ClientConnection, method: string): void {
    const clients = this.#routes.get(method) ?? []
    this.#routes.set(
      method,
      clients.filter((other) => other !== client),
    )
  }

  forget(client: ClientConnection): void {
    for (const method of this.#routes.keys()) this.remove(client, method)
  }

  /** Whose turn it is for such a request; undefined where nobody wants it. */
  select(method: string): ClientConnection | undefined {
    const key = method.toLowerCase()
    const clients = this.#routes.get(key) ?? []
    const turn = this.#turns.get(key) ?? 0
    this.#turns.set(key, turn + 1)
    return clients[turn % Math.max(1, clients.length)]
  }
}
