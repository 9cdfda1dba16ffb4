import { readFileSync } from 'node:fs'

export interface KernelDropsOptions {
  /** Local ports that are looked at, both included. */
  readonly portFrom: number
  readonly portTo: number
  /** Reads a file of the kernel's; throws where there is none. */
  readonly read?: (path: string) => string
}

/** Lines of the table of sockets whose last column, the drops, is not 0: a node has thousands of the others. */
const WITH_DROPS = /^.* ([1-9]\d*) *$/gm
const NONE: ReadonlyMap<number, number> = new Map()

/**
 * Datagrams that the kernel threw away since nobody had read those before them: nothing else tells of them, and the
 * thread that was too late cannot know.
 *
 * What all sockets of the machine lost together (`/proc/net/snmp`, RFC 4113 udpInErrors) is one short line. Only when
 * that has grown the kernel's table of sockets is read, which has a line for each and counts what each lost.
 */
export class KernelDrops {
  readonly #from: number
  readonly #to: number
  readonly #read: (path: string) => string
  /** What each socket had lost at the last look, by its inode, which no other socket has while it lives. */
  #seen = new Map<string, number>()
  #errors: number

  constructor({ portFrom, portTo, read }: KernelDropsOptions) {
    this.#from = portFrom
    this.#to = portTo
    this.#read = read ?? ((path) => readFileSync(path, 'latin1'))
    this.#errors = this.#countErrors()
    for (const { inode, drops } of this.#sockets()) this.#seen.set(inode, drops)
  }

  /** Datagrams lost since the last look, by local port. Empty on a system that does not tell. */
  look(): ReadonlyMap<number, number> {
    const errors = this.#countErrors()
    if (errors === this.#errors) return NONE
    this.#errors = errors
    const lost = new Map<number, number>()
    const seen = new Map<string, number>()
    for (const { port, inode, drops } of this.#sockets()) {
      seen.set(inode, drops)
      const more = drops - (this.#seen.get(inode) ?? 0)
      if (more > 0) lost.set(port, (lost.get(port) ?? 0) + more)
    }
    this.#seen = seen
    return lost
  }

  #countErrors(): number {
    const ipv4 = /^Udp: \d+ \d+ (\d+)/m.exec(this.#text('/proc/self/net/snmp'))?.[1]
    const ipv6 = /^Udp6InErrors\s+(\d+)/m.exec(this.#text('/proc/self/net/snmp6'))?.[1]
    return Number(ipv4 ?? 0) + Number(ipv6 ?? 0)
  }

  /** Sockets that have lost anything. */
  *#sockets(): Iterable<{
    readonly port: number
    readonly inode: string
    readonly drops: number
  }> {
    for (const table of ['/proc/self/net/udp', '/proc/self/net/udp6']) {
      for (const [line, digits] of this.#text(table).matchAll(WITH_DROPS)) {
        const drops = Number(digits)
        const columns = line.trim().split(/\s+/)
        const port = Number.parseInt(columns[1]?.split(':')[1] ?? '', 16)
        if (!(port >= this.#from && port <= this.#to)) continue
        yield { port, inode: columns[9] ?? '', drops }
      }
    }
  }

  #text(path: string): string {
    try {
      return this.#read(path)
    } catch {
      return ''
    }
  }
}
