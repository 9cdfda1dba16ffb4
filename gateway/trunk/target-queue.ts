import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import type { SipResponse } from '../sip/sip-surface.ts'
import { redirectedTo } from './within-route.ts'

const MOST_REDIRECTIONS = 5

/** The targets that a call has left to try. Where one redirects the call, that is tried next, once each. */
export class TargetQueue {
  readonly #route: TrunkRoute
  readonly #left: TrunkTarget[]
  readonly #named: Set<string>
  #redirections = 0

  constructor(options: { readonly route: TrunkRoute; readonly targets: readonly TrunkTarget[] }) {
    this.#route = options.route
    this.#left = [...options.targets]
    this.#named = new Set(options.targets.map(({ uri }) => uri))
  }

  next(): TrunkTarget | undefined {
    return this.#left.shift()
  }

  /** Takes a target's refusal; a 3xx names others in its Contact (RFC 3261 §8.1.3.4). */
  redirect(
    target: TrunkTarget,
    refusal: { readonly status: number; readonly response: SipResponse | undefined },
  ): void {
    const contacts = refusal.response?.get('Contact')
    const isRedirection = refusal.status >= 300 && refusal.status < 400
    if (!isRedirection || contacts === undefined || this.#redirections === MOST_REDIRECTIONS) return
    this.#redirections++
    const place = { route: this.#route, target }
    const news = redirectedTo(contacts, place).filter(({ uri }) => !this.#named.has(uri))
    for (const { uri } of news) this.#named.add(uri)
    this.#left.unshift(...news)
  }
}
