import { formatAddress } from '../../base/address.ts'
/** A `sip:` or `sips:` URI, as far as routing needs it (RFC 3261 §19.1). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips'
  /** User part with password, without `@`; undefined where there is none. */
  readonly user: string | undefined
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number | undefined
  /** Everything from the first `;` or `?`, or empty. */
  readonly rest: string
}

const URI = /^(sips?):(?:([^@]*)@)?(\[[0-9a-fA-F:.%]+\]|[^\s:;?<>,[\]@]+)(?::(\d{1,5}))?([;?].*)?$/i

/** Undefined for another scheme or for what is no URI. */
export function parseSipUri(text: string): SipUri | undefined {
  const match = URI.exec(text)
  if (!match) return undefined
  const [, scheme = '', user, host = '', port, rest = ''] = match
  const portNumber = port === undefined ? undefined : Number(port)
  if (portNumber !== undefined && portNumber > 65_535) return undefined
  return {
    scheme: scheme.toLowerCase() === 'sips' ? 'sips' : 'sip',
    user,
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port: portNumber,
    rest,
  }
}

/** Value of a URI parameter, empty where it has none, undefined where it is absent. */
export function uriParameter(uri: SipUri, name: string): string | undefined {
  const parameters = uri.rest.split('?', 1)[0] ?? ''
  for (const parameter of parameters.split(';')) {
    const [key = '', value = ''] = parameter.split('=', 2)
    if (key.trim().toLowerCase() === name) return value.trim()
  }
  return undefined
}

/** The URI with another host and port. */
export function withHostPort(uri: SipUri, host: string, port: number): string {
  const user = uri.user === undefined ? '' : `${uri.user}@`
  return `${uri.scheme}:${user}${formatAddress({ host, port })}${uri.rest}`
}
