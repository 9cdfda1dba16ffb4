import type { Verb } from './verb.ts'
import { auditExportVerb, auditVerifyVerb } from './verbs/audit.ts'
import {
  completenessCallsVerb,
  completenessMissingVerb,
  completenessVerb,
} from './verbs/completeness.ts'
import { completenessImportVerb } from './verbs/completeness-import.ts'
import { completenessImportsVerb, completenessWithdrawVerb } from './verbs/completeness-withdraw.ts'
import { configCheckVerb, configShowVerb } from './verbs/config.ts'
import { contactsVerb } from './verbs/contacts.ts'
import { demoVerb } from './verbs/demo.ts'
import { doctorVerb } from './verbs/doctor.ts'
import { journalInspectVerb, journalStatusVerb } from './verbs/journal.ts'
import { journalReplayVerb } from './verbs/journal-replay.ts'
import { keysAddVerb, keysNewVerb, keysRetireVerb, keysVerb } from './verbs/keys.ts'
import { keysOpenVerb, keysReencryptVerb } from './verbs/keys-files.ts'
import { migrateVerb } from './verbs/migrate.ts'
import { gatewayVerb, portalVerb, retentionVerb } from './verbs/process-verbs.ts'
import {
  recordingsGetVerb,
  recordingsShowVerb,
  recordingsVerb,
  recordingsVerdictVerb,
} from './verbs/recordings.ts'
import { recordingsVerifyVerb } from './verbs/recordings-verify.ts'
import { replayVerb } from './verbs/replay.ts'
import { retentionExplainVerb, retentionSweepVerb } from './verbs/retention.ts'
import { testVerb } from './verbs/test.ts'
import { needsPrivateDatabaseVerb, upVerb } from './verbs/up.ts'

/** Everything that can be asked for. */
export const VERBS: readonly Verb[] = [
  demoVerb,
  testVerb,
  upVerb,
  needsPrivateDatabaseVerb,
  gatewayVerb,
  retentionVerb,
  portalVerb,
  migrateVerb,
  doctorVerb,
  replayVerb,
  configCheckVerb,
  configShowVerb,
  contactsVerb,
  recordingsVerb,
  recordingsShowVerb,
  recordingsVerdictVerb,
  recordingsGetVerb,
  recordingsVerifyVerb,
  keysVerb,
  keysNewVerb,
  keysAddVerb,
  keysRetireVerb,
  keysReencryptVerb,
  keysOpenVerb,
  retentionExplainVerb,
  retentionSweepVerb,
  journalStatusVerb,
  journalInspectVerb,
  journalReplayVerb,
  completenessVerb,
  completenessCallsVerb,
  completenessMissingVerb,
  completenessImportVerb,
  completenessImportsVerb,
  completenessWithdrawVerb,
  auditVerifyVerb,
  auditExportVerb,
]
