import { createSilentLog } from '../../../base/log.ts'
import { configSchema } from '../../../config/config.ts'
import type { BanReason } from '../../../gateway/sip-door/ban-list.ts'
import { PeerTable } from '../../../gateway/sip-door/peer-table.ts'
import { type AdmissionOutcome, SipDoor } from '../../../gateway/sip-door/sip-door.ts'
import { targetAddresses } from '../../../gateway/sip-door/target-addresses.ts'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { parseHead, type SipRequest } from '../../../gateway/sip-server/sip-message.ts'
import type { Peer, SipTransport, TransportName } from '../../../gateway/sip-server/transport.ts'
import { ManualClock } from '../../manual-clock.ts'
import { sipRequest } from '../sip-server/sip-text.ts'

interface DoorWishes {
  readonly sip?: object
  readonly siprec?: object
  readonly trunk?: object
}

/** A door as a configuration asks for it, without a server behind it. */
export function doorOf(wishes: DoorWishes = {}) {
  const { sip, siprec, trunk } = configSchema.parse(wishes)
  const clock = new ManualClock()
  const outcomes: AdmissionOutcome[] = []
  const bans: BanReason[] = []
  const dialogs = new Map<string, number>()
  const door = new SipDoor({
    peers: new PeerTable({
      peers: sip.peers,
      others: [...siprec.peers, ...trunk.routes],
      targets: targetAddresses(trunk.routes),
    }),
    strangers: sip.strangers ?? (sip.peers.length === 0 ? 'take' : 'refuse'),
    digest: sip.digest,
    guard: sip.guard,
    dialogsWith: (host) => dialogs.get(host) ?? 0,
    clock,
    log: createSilentLog(),
    events: {
      admission: (outcome) => outcomes.push(outcome),
      banned: (reason) => bans.push(reason),
    },
  })
  return { door, clock, outcomes, bans, dialogs }
}

/** Somebody at an address, by a transport that carries nothing. */
export function peerAt(
  host: string,
  options: { readonly name?: TransportName; readonly names?: readonly string[] } = {},
): Peer {
  const { name = 'udp', names = [] } = options
  const transport: SipTransport = {
    name,
    isReliable: name !== 'udp',
    host: '192.0.2.200',
    port: 5060,
    connections: 0,
    start: async () => {},
    close: async () => {},
    peerAt: (other) => peerAt(other, options),
    namesAt: () => names,
    alias: () => {},
    isConnected: () => true,
    send: () => {},
    disconnect: () => {},
  }
  const local = { localHost: '192.0.2.200', localPort: 5060 }
  return { transport, host, port: 5060, connectionId: undefined, ...local, names }
}

export function invite(headers: readonly string[] = [], method = 'INVITE'): SipRequest {
  const head = parseHead(sipRequest({ method, headers }), DEFAULT_LIMITS)
  if (head.kind !== 'head' || head.message.kind !== 'request') throw new Error('no request')
  return head.message
}
