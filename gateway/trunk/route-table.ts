import type { TrunkRoute } from '../../config/trunk-config.ts'
import { type PeerIdentity, PeerMatch } from '../sip/peer-identity.ts'

/** What a route is chosen by. */
export interface IncomingCall {
  readonly caller: PeerIdentity
  /** Dialled number as E.164 where it is one, else the user part as received. */
  readonly dialled: string
}

/**
 * Finds the route of a call. Routes are tried in the configuration's order, except that an exact number
 * goes before a prefix, and a longer prefix before a shorter one.
 */
export class RouteTable {
  readonly #routes: readonly { readonly route: TrunkRoute; readonly peers: PeerMatch }[]

  constructor(routes: readonly TrunkRoute[]) {
    this.#routes = routes.map((route) => ({ route, peers: new PeerMatch(route) }))
  }

  find(call: IncomingCall): TrunkRoute | undefined {
    let best: TrunkRoute | undefined
    let bestScore = -1
    for (const { route, peers } of this.#routes) {
      if (!peers.has(call.caller)) continue
      const score = matchScore(route, call.dialled)
      if (score > bestScore) {
        best = route
        bestScore = score
      }
    }
    return best
  }
}

const EXACT = 1000

/** -1 no match, 0 a route for any number, else the matched prefix's length, or more for an exact number. */
function matchScore(route: TrunkRoute, dialled: string): number {
  const takesAny = route.numbers === undefined && route.prefixes === undefined
  if (takesAny) return 0
  if (route.numbers?.includes(dialled)) return EXACT
  const matched = (route.prefixes ?? []).filter((prefix) => dialled.startsWith(prefix))
  return matched.length === 0 ? -1 : Math.max(...matched.map((prefix) => prefix.length))
}
