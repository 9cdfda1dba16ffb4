import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Config } from '../../config/config.ts'
import { identityByAddress, type ReadIdentity } from '../sip/peer-identity.ts'
import { SipServer } from '../sip-server/sip-server.ts'
import { embeddedServer } from '../sip-settings.ts'
import { DoorMetrics } from './door-metrics.ts'
import { PeerTable } from './peer-table.ts'
import { SipDoor } from './sip-door.ts'
import { targetAddresses } from './target-addresses.ts'

/** The embedded SIP server with who is let in to it, or nothing where drachtio servers do its work. */
export interface GuardedServer {
  readonly server: SipServer | undefined
  readonly door: SipDoor | undefined
  /** Whom a request came from, as far as the SIP server tells. */
  readonly identityOf: ReadIdentity
  /** For the INVITEs of drachtio servers, which have no door: whether one may call, by its address. */
  readonly mayCall: (address: string) => boolean
}

export function guardServer(
  { sip, siprec, trunk }: Pick<Config, 'sip' | 'siprec' | 'trunk'>,
  {
    clock,
    log,
    registry,
  }: { readonly clock: Clock; readonly log: Log; readonly registry: Registry },
): GuardedServer {
  const strangers = sip.strangers ?? (sip.peers.length === 0 ? 'take' : 'refuse')
  const peers = new PeerTable({
    peers: sip.peers,
    others: [...siprec.peers, ...trunk.routes],
    targets: targetAddresses(trunk.routes),
  })
  const mayCall = (address: string) => {
    return strangers === 'take' || peers.standingOf({ address, names: [] }).kind === 'peer'
  }
  if (sip.drachtio !== undefined) {
    return { server: undefined, door: undefined, identityOf: identityByAddress, mayCall }
  }
  if (strangers === 'take' && sip.strangers === undefined && isReachable(sip.listen)) {
    log.warn('anybody who reaches the SIP port may call: name those who may in sip.peers')
  }
  const door = new SipDoor({
    peers,
    strangers,
    digest: sip.digest,
    guard: sip.guard,
    dialogsWith: (host) => server.dialogsWith(host),
    clock,
    log,
    events: new DoorMetrics(registry, () => door.bans.length),
  })
  const server = new SipServer({ ...embeddedServer(sip), door, clock, log })
  return {
    server,
    door,
    identityOf: ({ source_address: address, source_port: port, protocol }) => ({
      address,
      names: protocol === 'tls' ? server.namesAt(address, port) : [],
    }),
    mayCall: () => true,
  }
}

function isReachable(listen: Config['sip']['listen']): boolean {
  return listen.some(({ host }) => !/^(127\.|::1$|localhost$)/.test(host))
}
