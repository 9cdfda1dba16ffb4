/**
 * A Contact of ours toward a URI, by the transport that the URI asks for; the SIP server puts its own address in the
 * place of `localhost`.
 */
export function localContact(user: string, toward: string): string {
  const scheme = /^sips:/i.test(toward) ? 'sips' : 'sip'
  const transport = /;transport=\w+/i.exec(toward)?.[0] ?? ''
  return `<${scheme}:${user}@localhost${transport}>`
}
