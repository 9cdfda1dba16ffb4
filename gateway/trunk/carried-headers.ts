/**
 * Headers that say who calls whom and why, carried from one leg to the other as they came. Everything else
 * of the far side (Via, Contact, Record-Route, User-Agent, Server, Call-ID) is hidden: the legs are separate dialogs.
 */
const CARRIED_REQUEST_HEADERS = [
  'Diversion',
  'History-Info',
  'Privacy',
  'User-to-User',
  'Alert-Info',
  'Call-Info',
  'Subject',
  'Priority',
  'Reason',
  'Supported',
  'Accept-Language',
  'Session-ID',
] as const

const IDENTITY_HEADERS = ['P-Asserted-Identity', 'Remote-Party-ID'] as const

/** Headers of a response that the caller's side gets to see. */
export const CARRIED_RESPONSE_HEADERS = [
  'P-Asserted-Identity',
  'Privacy',
  'Reason',
  'Alert-Info',
  'Call-Info',
  'Warning',
  'Retry-After',
  'User-to-User',
] as const

type ReadHeader = (name: string) => string | undefined

/**
 * The headers to send on with an INVITE. `P-Asserted-Identity` goes to trusted targets always, to others only
 * where the caller asks for no privacy (RFC 3325 §9.1); `X-` headers are the deployment's own and go through.
 */
export function carriedHeaders(
  read: ReadHeader,
  options: { readonly isTrusted: boolean; readonly extensionNames: readonly string[] },
): Record<string, string> {
  const asksPrivacy = /\b(id|header|user|session)\b/i.test(read('Privacy') ?? '')
  const identity = options.isTrusted || !asksPrivacy ? IDENTITY_HEADERS : []
  const extensions = options.extensionNames.filter((name) => /^x-[\w-]{1,64}$/i.test(name))
  const carried: Record<string, string> = {}
  for (const name of [...CARRIED_REQUEST_HEADERS, ...identity, ...extensions]) {
    const value = read(name)
    if (value !== undefined && value !== '') carried[name] = value
  }
  return carried
}
