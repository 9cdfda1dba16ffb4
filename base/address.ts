/** Where something listens. */
export interface Address {
  /** A name, or an address of IPv4 or IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** The host as it stands in a URI: an IPv6 address in brackets. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** The address as it stands in a URI. */
export function formatAddress({ host, port }: Address): string {
  return `${formatHost(host)}:${port}`
}

/** Where this machine itself reaches something that listens on `host`. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

/** Where this machine itself reaches an HTTP service that listens there. */
export function localUrl({ host, port }: Address): string {
  return `http://${formatAddress({ host: reachableHost(host), port })}`
}
