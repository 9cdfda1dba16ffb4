import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import { readSipAddress, splitAddresses } from '../sip-address.ts'

/**
 * Where an address that a platform names leads, which is never out of the route's own targets: its host counts where
 * it is one of theirs, else its user alone, at the target that named it. Undefined for an address that leads nowhere.
 */
export function withinRoute(
  address: string,
  { route, target }: { readonly route: TrunkRoute; readonly target: TrunkTarget },
): TrunkTarget | undefined {
  const { scheme, user, host } = readSipAddress(address)
  const named = route.targets.find(({ uri }) => host !== '' && readSipAddress(uri).host === host)
  if (!['sip', 'sips', 'tel'].includes(scheme)) return undefined
  if (user === '') return named
  const at = named ?? target
  const encoded = encodeURIComponent(user).replaceAll('%2B', '+')
  const uri = at.uri.replace(/^(sips?:)(?:[^@]*@)?/, (_, start: string) => `${start}${encoded}@`)
  return { ...at, uri }
}

/** Where a redirection leads (RFC 3261 §8.1.3.4), the most wanted first. */
export function redirectedTo(
  contacts: string,
  place: { readonly route: TrunkRoute; readonly target: TrunkTarget },
): readonly TrunkTarget[] {
  return splitAddresses([contacts])
    .map((address) => ({ address, q: Number(readSipAddress(address).parameters.get('q') ?? 1) }))
    .sort((a, b) => b.q - a.q)
    .map(({ address }) => withinRoute(address, place))
    .filter((target) => target !== undefined)
}
