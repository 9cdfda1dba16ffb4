import { type Address, formatAddress, reachableHost } from '../../base/address.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import type { ReplaySession } from './replay-session.ts'
import type { SipTransport } from './sip-carrier.ts'
import { SipLink } from './sip-link.ts'

/** Where sessions are played to. */
export interface GatewayLinksOptions {
  /** Over what; absent where each session goes as it was captured. */
  readonly transport: SipTransport | undefined
  /** Where the gateway listens; absent where the configuration says so. */
  readonly to: Address | undefined
  readonly config: Pick<Config, 'sip'>
}

const TRANSPORTS = ['udp', 'tcp'] as const

/** The links to one gateway that some sessions are played over, one for each transport. */
export class GatewayLinks {
  readonly #options: GatewayLinksOptions
  readonly #links: ReadonlyMap<SipTransport, SipLink>

  private constructor(options: GatewayLinksOptions, links: ReadonlyMap<SipTransport, SipLink>) {
    this.#options = options
    this.#links = links
  }

  /** Rejects as `SipLink.open` does, and with `no_listener` where the gateway does not listen for such. */
  static async open(
    sessions: readonly ReplaySession[],
    options: GatewayLinksOptions,
  ): Promise<GatewayLinks> {
    const links = new Map<SipTransport, SipLink>()
    const opened = new GatewayLinks(options, links)
    try {
      for (const session of sessions) {
        const { transport, address } = placeOf(session, options)
        if (!links.has(transport)) links.set(transport, await SipLink.open(address, transport))
      }
      return opened
    } catch (error) {
      opened.close()
      throw error
    }
  }

  /** One of the sessions that they were opened for. */
  linkOf(session: ReplaySession): SipLink {
    const { transport } = placeOf(session, this.#options)
    const link = this.#links.get(transport)
    if (link === undefined)
      throw new TallenneError('no_listener', `there is no link over ${transport}`)
    return link
  }

  /** Where they lead, as `192.0.2.10:5060 over UDP`. */
  get names(): readonly string[] {
    return [...this.#links].map(
      ([transport, { gateway }]) => `${formatAddress(gateway)} over ${transport.toUpperCase()}`,
    )
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
  }
}

/** Over what a session is played, and to where. A gateway that does not listen for what was captured gets the other. */
function placeOf(session: ReplaySession, { transport, to, config }: GatewayLinksOptions) {
  const wanted = transport ?? session.call?.invite.transport ?? 'udp'
  if (to !== undefined) return { transport: wanted, address: to }
  const allowed = transport === undefined ? [wanted, ...TRANSPORTS] : [wanted]
  for (const one of allowed) {
    const address = config.sip.drachtio ? undefined : listening(config, one)
    if (address !== undefined) return { transport: one, address }
  }
  throw new TallenneError(
    'no_listener',
    `A capture is played over UDP or TCP, but the configuration has no sip.listen of transport ${transport ?? 'udp or tcp'}: name the SIP server with --to HOST:PORT.`,
  )
}

function listening({ sip }: Pick<Config, 'sip'>, transport: SipTransport): Address | undefined {
  const found = sip.listen.find((one) => one.transport === transport)
  return found && { host: reachableHost(found.host), port: found.port }
}
