import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import type { CallMaker } from '../../sip/call-maker.ts'
import { type FreeswitchAddress, FreeswitchServer } from './freeswitch-server.ts'

/** The FreeSWITCH servers of a site: a call goes to the one with the fewest endpoints for its weight. */
export class FreeswitchPool {
  readonly servers: readonly FreeswitchServer[]

  constructor(servers: readonly FreeswitchServer[]) {
    this.servers = servers
  }

  /** Resolves when every server was tried once; one that does not answer costs no start. */
  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()))
  }

  /** Those that take calls, the one that is to have the next first. */
  get candidates(): readonly FreeswitchServer[] {
    return this.servers
      .filter((server) => server.takesCalls)
      .toSorted((a, b) => loadOf(a) - loadOf(b))
  }

  /** Another than `left`, where a call leaves one. Throws `no_media_server` where none takes calls. */
  choose(left?: FreeswitchServer): FreeswitchServer {
    const best = this.candidates.find((server) => server !== left)
    if (best === undefined) {
      throw new TallenneError(
        'no_media_server',
        `none of ${this.servers.length} FreeSWITCH servers takes calls`,
      )
    }
    return best
  }

  /** The server of that name; undefined where there is none. */
  find(name: string): FreeswitchServer | undefined {
    return this.servers.find((server) => server.address.name === name)
  }

  close(): void {
    for (const server of this.servers) server.close()
  }
}

function loadOf(server: FreeswitchServer): number {
  return (server.endpoints + 1) / server.address.weight
}

export function createFreeswitchPool(
  addresses: readonly FreeswitchAddress[],
  parts: {
    readonly nodeId: string
    readonly framework: () => CallMaker | undefined
    readonly clock: Clock
    readonly log: Log
  },
): FreeswitchPool {
  return new FreeswitchPool(addresses.map((address) => new FreeswitchServer({ address, ...parts })))
}
