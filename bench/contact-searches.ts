import { encodeCursor } from '../storage/contact-search.ts'
import type { Queryable } from '../storage/database.ts'
import type { ContactFilter } from '../storage/model.ts'
import { BUSIEST_CALLER, type Period } from './contact-rows.ts'

export type Filter = Omit<ContactFilter, 'limit'>

/** What is known of a contact that is there. */
export interface Sample {
  readonly id: string
  readonly caller: string
  readonly serviceNumber: string
  readonly serviceLine: string
  readonly agent: string
  readonly callId: string
  readonly platformReference: string
  readonly startedAtMs: number
}

const DAY_MS = 86_400_000

/** How each parameter is set after a contact that is there. */
const PARAMETERS = {
  caller: ({ caller }: Sample): Filter => ({ caller }),
  serviceNumber: ({ serviceNumber }: Sample): Filter => ({ serviceNumber }),
  serviceLine: ({ serviceLine }: Sample): Filter => ({ serviceLine }),
  agent: ({ agent }: Sample): Filter => ({ agent }),
  'from, to': ({ startedAtMs }: Sample): Filter => ({
    fromMs: startedAtMs - 15 * DAY_MS,
    toMs: startedAtMs + 15 * DAY_MS,
  }),
} as const

const BUSIEST = {
  caller: BUSIEST_CALLER,
  agent: 'agent-0',
  serviceNumber: '+12025550100',
  serviceLine: 'linja-0',
} as const
/** What the busiest agent, number and line never meet. */
const APART = { agent: 'agent-6', serviceNumber: '+12025550106', serviceLine: 'linja-6' } as const

/** Searches that the combinations leave out; what never meets is the worst that an index can be asked for. */
const OTHERS: Readonly<Record<string, (sample: Sample) => Filter>> = {
  callId: ({ callId }) => ({ callId }),
  platformReference: ({ platformReference }) => ({ platformReference }),
  'caller that never called': () => ({ caller: '+12025550199' }),
  'busiest caller': () => ({ caller: BUSIEST.caller }),
  'busiest caller, serviceLine': ({ serviceLine }) => ({ caller: BUSIEST.caller, serviceLine }),
  'busiest caller, serviceNumber': ({ serviceNumber }) => ({
    caller: BUSIEST.caller,
    serviceNumber,
  }),
  'busiest caller, agent': ({ agent }) => ({ caller: BUSIEST.caller, agent }),
  'caller, busiest agent': ({ caller }) => ({ caller, agent: BUSIEST.agent }),
  'busiest caller, line that is none': () => ({ caller: BUSIEST.caller, serviceLine: 'none' }),
  'busiest caller, agent that is none': () => ({ caller: BUSIEST.caller, agent: 'none' }),
  'busiest agent': () => ({ agent: BUSIEST.agent }),
  'busiest agent, line that it helps': () => ({ agent: BUSIEST.agent, serviceLine: 'linja-11' }),
  'busiest agent, number of that line': () => ({
    agent: BUSIEST.agent,
    serviceNumber: '+12025550159',
  }),
  'busiest agent, line never met': () => ({
    agent: BUSIEST.agent,
    serviceLine: APART.serviceLine,
  }),
  'busiest agent, number never met': () => ({
    agent: BUSIEST.agent,
    serviceNumber: APART.serviceNumber,
  }),
  'busiest number, line never met': () => ({
    serviceNumber: BUSIEST.serviceNumber,
    serviceLine: APART.serviceLine,
  }),
  'busiest number, agent never met': () => ({
    serviceNumber: BUSIEST.serviceNumber,
    agent: APART.agent,
  }),
  'busiest line, a page far back': ({ id, startedAtMs }) => ({
    serviceLine: BUSIEST.serviceLine,
    cursor: encodeCursor({ startedAtMs, id }),
  }),
}

/** Every combination of the parameters, then the others, by their names. */
export function searches(): ReadonlyMap<string, (sample: Sample) => Filter> {
  const names = Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[]
  const found = new Map<string, (sample: Sample) => Filter>()
  for (let set = 0; set < 2 ** names.length; set++) {
    const chosen = names.filter((_, index) => (set >> index) % 2 === 1)
    const filterOf = (sample: Sample): Filter =>
      Object.assign({}, ...chosen.map((name) => PARAMETERS[name](sample)))
    found.set(chosen.length === 0 ? 'all' : chosen.join(', '), filterOf)
  }
  for (const [name, filterOf] of Object.entries(OTHERS)) found.set(name, filterOf)
  return found
}

/** Contacts from all over the period; busy callers and agents are among them as often as among all. */
export async function takeSamples(
  database: Queryable,
  { fromMs, toMs }: Period,
  count: number,
): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  for (let index = 0; index < count; index++) {
    const at = new Date(fromMs + ((index + 0.5) / count) * (toMs - fromMs))
    const [row]: (Omit<Sample, 'startedAtMs'> & { startedAt: Date })[] = await database.query(
      `SELECT id, caller_e164 AS caller, service_number_e164 AS serviceNumber, service_line AS serviceLine, agent,
         call_id AS callId, platform_reference AS platformReference, started_at AS startedAt
       FROM contacts WHERE started_at >= ? AND caller_e164 IS NOT NULL AND joined_into IS NULL
       ORDER BY started_at LIMIT 1`,
      [at],
    )
    if (row) samples.push({ ...row, startedAtMs: row.startedAt.getTime() })
  }
  return samples
}
