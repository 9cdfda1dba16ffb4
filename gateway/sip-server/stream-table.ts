import type { StreamConnection } from './stream-connection.ts'

/** How many ports a peer may claim for one connection. */
const MAX_ALIASES = 4

interface Place {
  readonly host: string
  readonly port: number
}

/** The connections of a stream transport, by id and by where they lead. */
export class StreamTable {
  readonly #isKnownBy: (proven: readonly string[], wanted: readonly string[]) => boolean
  readonly #open = new Map<number, StreamConnection>()
  /** The newest connection to each remote address and port. */
  readonly #byPlace = new Map<string, StreamConnection>()
  /** Under which places each is known, the first being its own. */
  readonly #places = new Map<StreamConnection, Place[]>()

  /** `isKnownBy` tells whether a connection with those proven names may carry what is for the wanted ones. */
  constructor(isKnownBy: (proven: readonly string[], wanted: readonly string[]) => boolean) {
    this.#isKnownBy = isKnownBy
  }

  get size(): number {
    return this.#open.size
  }

  all(): readonly StreamConnection[] {
    return [...this.#open.values()]
  }

  get(id: number): StreamConnection | undefined {
    return this.#open.get(id)
  }

  at(place: Place): StreamConnection | undefined {
    return this.#byPlace.get(keyOf(place))
  }

  /** An open connection that leads there, to a peer of one of those names. */
  find(wanted: Place & { readonly names: readonly string[] }): StreamConnection | undefined {
    const connection = this.#byPlace.get(keyOf(wanted))
    if (connection === undefined) return undefined
    return this.#isKnownBy(connection.names, wanted.names) ? connection : undefined
  }

  add(connection: StreamConnection, place: Place): void {
    this.#open.set(connection.id, connection)
    this.#byPlace.set(keyOf(place), connection)
    this.#places.set(connection, [place])
  }

  /** The connection leads to that port of its host as well, unless another one does. */
  alias(id: number, port: number): void {
    const connection = this.#open.get(id)
    const places = connection === undefined ? undefined : this.#places.get(connection)
    const [own] = places ?? []
    if (connection === undefined || places === undefined || own === undefined) return
    const place = { host: own.host, port }
    const isTaken = this.#byPlace.has(keyOf(place))
    if (isTaken || connection.direction === 'out' || places.length > MAX_ALIASES) return
    places.push(place)
    this.#byPlace.set(keyOf(place), connection)
  }

  remove(connection: StreamConnection): void {
    this.#open.delete(connection.id)
    for (const place of this.#places.get(connection) ?? []) {
      const key = keyOf(place)
      if (this.#byPlace.get(key) === connection) this.#byPlace.delete(key)
    }
    this.#places.delete(connection)
  }
}

function keyOf({ host, port }: Place): string {
  return `${host} ${port}`
}
