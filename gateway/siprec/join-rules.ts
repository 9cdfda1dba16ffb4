import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import type { JoinKey } from '../../storage/model.ts'
import type { PlatformReference } from './platform-references.ts'

/** How sessions are known to bring one call: what a platform names it by. docs/identification.md describes each. */
interface JoinRule {
  /** The kind of reference. */
  readonly kind: PlatformReference['kind']
  /** Whether a session that begins within seconds of the call's end still belongs to it. */
  readonly reachesOverEnd: boolean
  /** Two references of the kind name a call together; one alone does not. */
  readonly isPair: boolean
}

function name(kind: JoinRule['kind']): JoinRule {
  return { kind, reachesOverEnd: true, isPair: false }
}

/** In their default order. `ribbon-gcid` is not among them: each SBC counts for itself. */
const DEFAULT_RULES: readonly JoinRule[] = [
  name('cucm-call'),
  name('cisco-guid'),
  name('ucid'),
  name('broadworks-tracking-id'),
  name('genesys-conversation'),
  name('genesys-uuid'),
  name('audiocodes-session'),
  name('call-sid'),
  name('call-id'),
  name('session-id'),
  name('rfc7865-session'),
  name('rfc7865-group'),
  // People keep their ids from call to call, so that only two of them at the same time are one call.
  { kind: 'rfc7865-participant', reachesOverEnd: false, isPair: true },
]

const OPTIONAL_RULES: readonly JoinRule[] = [name('ribbon-gcid'), name('configured')]

/** What sessions are joined by, and how long after a call's end. */
export interface Joining {
  readonly rules: readonly JoinRule[]
  readonly afterEndMs: number
}

/** Throws `unknown_reference`, which lists the known kinds. */
export function createJoining({ by, afterEndS }: Config['joining']): Joining {
  const known = [...DEFAULT_RULES, ...OPTIONAL_RULES]
  const rules = by?.map((kind, at) => {
    const rule = known.find((candidate) => candidate.kind === kind)
    if (rule !== undefined) return rule
    const expected = known.map((candidate) => candidate.kind).join(', ')
    throw new TallenneError(
      'unknown_reference',
      `joining.by[${at}]: '${kind}' is no kind of reference; expected one of ${expected}`,
    )
  })
  return { rules: rules ?? DEFAULT_RULES, afterEndMs: afterEndS * 1000 }
}

/** No call has more names than these; it bounds the work for a hostile document. */
const MOST_KEYS = 16
const MOST_PARTICIPANTS = 4

/** The names that a session's call has in common with its other sessions. A guess alone joins nothing. */
export function joinKeys(
  references: readonly Pick<PlatformReference, 'kind' | 'value' | 'isGuess'>[],
  { rules, afterEndMs }: Joining,
): readonly JoinKey[] {
  const keys = rules.flatMap(({ kind, reachesOverEnd, isPair }) => {
    const values = references
      .filter((reference) => reference.kind === kind && (isPair || !reference.isGuess))
      .map(({ value }) => value)
    const names = isPair ? pairs(values) : values
    return names.map((value) => ({
      key: printable(`${kind}:${value}`),
      afterEndMs: reachesOverEnd ? afterEndMs : 0,
    }))
  })
  const unique = new Map(keys.map((key) => [key.key, key]))
  return [...unique.values()].slice(0, MOST_KEYS)
}

function pairs(values: readonly string[]): readonly string[] {
  const sorted = [...new Set(values)].sort().slice(0, MOST_PARTICIPANTS)
  return sorted.flatMap((one, at) => sorted.slice(at + 1).map((other) => `${one}+${other}`))
}

function printable(key: string): string {
  return key.replace(/[^\x21-\x7e]/g, '_').slice(0, 255)
}
