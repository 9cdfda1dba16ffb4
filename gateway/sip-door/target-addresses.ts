import { isIP } from 'node:net'
import type { TrunkRoute } from '../../config/trunk-config.ts'
import { parseSipUri } from '../sip-server/sip-uri.ts'

/** Addresses of the targets whose URIs name one; what a host name leads to only the call itself tells. */
export function targetAddresses(routes: readonly Pick<TrunkRoute, 'targets'>[]): readonly string[] {
  const hosts = routes.flatMap(({ targets }) => targets.map(({ uri }) => parseSipUri(uri)?.host))
  return hosts.filter((host): host is string => host !== undefined && isIP(host) !== 0)
}
