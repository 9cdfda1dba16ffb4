import type { Verb } from './verb.ts'
import { configCheckVerb, configShowVerb } from './verbs/config.ts'
import { needsPrivateDatabaseVerb, upVerb } from './verbs/up.ts'

/** Everything that can be asked for. */
export const VERBS: readonly Verb[] = [
  upVerb,
  needsPrivateDatabaseVerb,
  configCheckVerb,
  configShowVerb,
]
