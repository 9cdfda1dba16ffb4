import { formatAddress, formatHost } from '../../base/address.ts'
import { splitList } from './name-address.ts'

/** The topmost Via value (RFC 3261 §20.42). */
export interface Via {
  /** As written, `UDP`. */
  readonly transport: string
  /** Without brackets. */
  readonly host: string
  readonly port: number | undefined
  /** Undefined where RFC 2543 is spoken. */
  readonly branch: string | undefined
  /** The sender takes requests by this connection (RFC 5923 §5). */
  readonly hasAlias: boolean
}

/** A branch that begins so is unique to its transaction (RFC 3261 §8.1.1.7). */
export const BRANCH_COOKIE = 'z9hG4bK'

const VIA =
  /^SIP\s*\/\s*\d\.\d\s*\/\s*([\w\-.!%*+`'~]+)\s+(\[[0-9a-fA-F:.%]+\]|[^\s:;,[\]]+)(?:\s*:\s*(\d{1,5}))?\s*(;.*)?$/i

export function parseVia(value: string): Via | undefined {
  const match = VIA.exec(value)
  if (!match) return undefined
  const [, transport = '', host = '', port, parameters = ''] = match
  return {
    transport,
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port: port === undefined ? undefined : Number(port),
    branch: /;\s*branch\s*=\s*([^\s;,]+)/i.exec(parameters)?.[1],
    hasAlias: /;\s*alias\s*(?:;|$)/i.test(parameters),
  }
}

/** The first of a Via header's values and what follows it, comma included. */
export function splitTopVia(value: string): { readonly top: string; readonly others: string } {
  if (!value.includes(',')) return { top: value, others: '' }
  const [top = '', ...others] = splitList(value)
  return { top, others: others.map((other) => `, ${other}`).join('') }
}

/**
 * Notes in the topmost Via where the request really came from (RFC 3261 §18.2.1, RFC 3581 §4). Like a drachtio
 * server, it adds `rport` even where the peer did not ask, so that responses find their way back through a NAT.
 */
export function stampVia(
  top: string,
  via: Via,
  source: { readonly host: string; readonly port: number },
): string {
  const [sentBy = '', ...parameters] = top.split(';')
  const rport = `rport=${source.port}`
  const kept: string[] = []
  let isAsked = false
  for (const parameter of parameters) {
    const name = parameter.split('=', 1)[0]?.trim().toLowerCase()
    if (name === 'received') continue
    if (name === 'rport') isAsked = true
    kept.push(name === 'rport' ? rport : parameter)
  }
  if (via.host.toLowerCase() !== source.host.toLowerCase()) kept.push(`received=${source.host}`)
  if (!isAsked) kept.push(rport)
  return [sentBy, ...kept].join(';')
}

/** Where SIP goes that names no port (RFC 3261 §19.1.2). */
export function defaultPort(transport: string): number {
  return transport === 'tls' ? 5061 : 5060
}

/**
 * The Via of a request of ours; the default port is left out. Over a stream responses come back on it anyway, so that
 * `rport` is asked for with datagrams alone.
 */
export function formatVia(via: {
  readonly protocol: string
  readonly host: string
  readonly port: number
  readonly branch: string
}): string {
  const isDefault = via.port === defaultPort(via.protocol)
  const sentBy = isDefault
    ? formatHost(via.host)
    : formatAddress({ host: via.host, port: via.port })
  const rport = via.protocol === 'udp' ? ';rport' : ''
  return `SIP/2.0/${via.protocol.toUpperCase()} ${sentBy}${rport};branch=${via.branch}`
}
