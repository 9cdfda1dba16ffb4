import { formatAddress } from '../../base/address.ts'

/** Where a message came from, as a URI to send by, over the transport that another URI asks for. */
export function sourceUri(
  {
    source_address: host,
    source_port: port,
  }: {
    readonly source_address: string
    readonly source_port: number
  },
  like: string,
): string {
  const isSecure = /^sips:/i.test(like)
  const transport = isSecure ? ';transport=tls' : (/;transport=\w+/i.exec(like)?.[0] ?? '')
  return `sip:${formatAddress({ host, port })}${transport}`
}
