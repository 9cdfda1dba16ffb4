import { type HiddenHosts, hideHosts, hideWarningAgent } from './hide-hosts.ts'

/**
 * Headers that say who calls whom and why, carried from one leg to the other. Everything else of the far side (Via,
 * Contact, Record-Route, User-Agent, Server, Call-ID) is hidden: the legs are separate dialogs.
 */
const CARRIED_REQUEST_HEADERS = [
  'Diversion',
  'History-Info',
  'P-Asserted-Identity',
  'Remote-Party-ID',
  'Referred-By',
  'Privacy',
  'User-to-User',
  'Alert-Info',
  'Call-Info',
  'Subject',
  'Priority',
  'Reason',
  'Accept-Language',
  'Session-ID',
] as const

/** Headers of a response that the caller's side gets to see. */
const CARRIED_RESPONSE_HEADERS = [
  'P-Asserted-Identity',
  'Privacy',
  'Reason',
  'Alert-Info',
  'Call-Info',
  'Warning',
  'Retry-After',
  'User-to-User',
] as const

const ADDRESSED = new Set<string>([
  'Diversion',
  'History-Info',
  'P-Asserted-Identity',
  'Remote-Party-ID',
  'Referred-By',
  'Call-Info',
  'Alert-Info',
])

type ReadHeader = (name: string) => string | undefined

/** What a party asks to be kept from those who are not trusted (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1). */
export function privacyWishes(read: ReadHeader): ReadonlySet<string> {
  const wishes = new Set((read('Privacy') ?? '').toLowerCase().match(/[a-z]+/g))
  return wishes.has('none') ? new Set() : wishes
}

/**
 * The headers to send on with an INVITE. A target that is not trusted is not told what the caller, or a diverting
 * party, wants to be kept; `X-` headers are the deployment's own and go through.
 */
export function carriedHeaders(
  read: ReadHeader,
  options: {
    readonly isTrusted: boolean
    readonly extensionNames: readonly string[]
    readonly hosts: HiddenHosts
  },
): Record<string, string> {
  const { isTrusted, extensionNames, hosts } = options
  const extensions = extensionNames.filter((name) => /^x-[\w-]{1,64}$/i.test(name))
  const wishes = privacyWishes(read)
  const isKept = (name: string, value: string) => !isTrusted && isPrivate(name, value, wishes)
  return carry([...CARRIED_REQUEST_HEADERS, ...extensions], { read, hosts, isKept })
}

/** Headers of a platform's response that the caller gets to see. */
export function carriedResponseHeaders(
  read: ReadHeader,
  hosts: HiddenHosts,
): Record<string, string> {
  const wishes = privacyWishes(read)
  const isKept = (name: string, value: string) => isPrivate(name, value, wishes)
  return carry(CARRIED_RESPONSE_HEADERS, { read, hosts, isKept })
}

function carry(
  names: readonly string[],
  options: {
    readonly read: ReadHeader
    readonly hosts: HiddenHosts
    readonly isKept: (name: string, value: string) => boolean
  },
): Record<string, string> {
  const { read, hosts, isKept } = options
  const carried: Record<string, string> = {}
  for (const name of names) {
    const value = read(name)
    if (value === undefined || value === '' || isKept(name, value)) continue
    if (name === 'Warning') carried[name] = hideWarningAgent(value, hosts)
    else carried[name] = ADDRESSED.has(name) ? hideHosts(value, hosts) : value
  }
  return carried
}

function isPrivate(name: string, value: string, wishes: ReadonlySet<string>): boolean {
  const wants = (...values: readonly string[]) => values.some((wish) => wishes.has(wish))
  switch (name) {
    case 'P-Asserted-Identity':
      return wants('id', 'header', 'user', 'session')
    case 'Remote-Party-ID':
      return (
        wants('id', 'header', 'user', 'session') || /;\s*privacy\s*=\s*"?(?!off)\w/i.test(value)
      )
    case 'Diversion':
      return wants('header', 'history') || /;\s*privacy\s*=\s*"?(?!off)\w/i.test(value)
    case 'History-Info':
      return wants('header', 'history', 'session') || /[?&]privacy=/i.test(value)
    case 'Referred-By':
      return wants('header', 'user')
    default:
      return false
  }
}
