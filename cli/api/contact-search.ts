import type { Config } from '../../config/config.ts'
import { readTime } from '../read-time.ts'
import { type Given, textOption } from '../verb.ts'

/** Options that narrow a search, by their names in the API. */
const FILTERS = {
  callId: 'call-id',
  caller: 'caller',
  serviceNumber: 'service-number',
  serviceLine: 'service-line',
  agent: 'agent',
  from: 'from',
  to: 'to',
  cursor: 'cursor',
  limit: 'limit',
} as const

export const FILTER_OPTIONS = {
  'call-id': { type: 'string' },
  caller: { type: 'string' },
  'service-number': { type: 'string' },
  'service-line': { type: 'string' },
  agent: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  cursor: { type: 'string' },
  limit: { type: 'string' },
} as const

export const FILTER_HELP = `  --caller NUMBER          caller's number, as +12025550147
  --service-number NUMBER  dialled number, as +12025550100
  --service-line NAME      name of the service line
  --agent NAME             an agent who handled a part of it
  --call-id ID             SIP Call-ID
  --from TIME              started then or later: 2026-01-31T08:00:00Z, or the date alone
  --to TIME                started before
  --limit N                most contacts of a page (else 50)
  --cursor TEXT            the page after, as the page before has told`

/** The API's path for a search. Throws `option_value` for a time that is none. */
export function contactsPath(given: Given, { catchAll }: Pick<Config, 'catchAll'>): string {
  const query = new URLSearchParams()
  for (const [parameter, option] of Object.entries(FILTERS)) {
    const value = textOption(given, option)
    if (value === undefined) continue
    const isTime = parameter === 'from' || parameter === 'to'
    query.set(parameter, isTime ? readTime(value, `--${option}`, catchAll) : value)
  }
  const text = query.toString()
  return text === '' ? '/api/contacts' : `/api/contacts?${text}`
}
