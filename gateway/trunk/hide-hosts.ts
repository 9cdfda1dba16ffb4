const URI_HOST =
  /\b(sips?:(?:[^@\s<>,"]{1,256}@)?)(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?)(:\d{1,5})?(?=[\s<>,;?"]|$)/gi
const WARNING_AGENT = /((?:^|,)\s*\d{3}\s+)(?:\[[0-9a-fA-F:.]+\]|[^\s":]+)(:\d{1,5})?(?=\s+")/g
const IP_ADDRESS = /^(?:\[.*\]|\d{1,3}(?:\.\d{1,3}){3})$/

/** Whose hosts are hidden, and behind what. */
export interface HiddenHosts {
  /** Our own host and port, as the other side may know them. */
  readonly own: string
  /** Names of machines that the other side is not to learn, in small letters. */
  readonly names: ReadonlySet<string>
}

/**
 * A header as the other side of the call may see it: IP addresses in its SIP URIs, and names of machines, give way to
 * our own. Other names are domains of people and say nothing of a network.
 */
export function hideHosts(header: string, { own, names }: HiddenHosts): string {
  return header.replace(URI_HOST, (uri: string, start: string, host: string) =>
    IP_ADDRESS.test(host) || names.has(host.toLowerCase()) ? `${start}${own}` : uri,
  )
}

/** A Warning header with us as its agent (RFC 3261 §20.43). */
export function hideWarningAgent(header: string, { own }: HiddenHosts): string {
  return header.replace(WARNING_AGENT, `$1${own}`)
}
