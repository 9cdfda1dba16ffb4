import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { explainRecording } from '../../retention/explain.ts'
import { placeHold } from '../../storage/holds.ts'
import { startMariadb } from '../mariadb.ts'
import { testTrail } from '../storage/audit/test-trail.ts'
import { Archive } from './archive.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
const trail = testTrail(pool)
const CALL_END = Date.parse('2025-12-31T10:00:00.123Z')
const NOW = Date.parse('2026-01-20T12:00:00Z')
const from = await Archive.open(mariadb, t.testdir())

async function recording(serviceLine = 'asiakastuki'): Promise<string> {
  const [id = ''] = await from.add([{ serviceLine, endedAtMs: CALL_END }])
  return id
}

async function explain(id: string, nowMs = NOW) {
  const explanation = await explainRecording(pool, id, nowMs)
  if (!explanation) throw new Error('no such recording')
  return explanation
}

t.test('a planned deletion is told with its line, period, zone, policy and instants', async (t) => {
  const id = await recording()
  const explanation = await explain(id)
  const { contact_id } = await from.row(id)
  const { text, ...facts } = explanation
  t.strictSame(facts, {
    recordingId: id,
    contactId: contact_id,
    state: 'complete',
    serviceLine: 'asiakastuki',
    isCatchAll: false,
    period: 'P2M',
    timeZone: 'Europe/Helsinki',
    policyVersion: 1,
    policySetBy: 'configuration',
    policyValidFrom: '1970-01-01T00:00:00.000Z',
    callEndedAt: '2025-12-31T10:00:00.123Z',
    deleteAfter: '2026-02-28T10:00:00.123Z',
    deleteAfterLocal: '2026-02-28 12:00:00 Europe/Helsinki',
    holds: [],
    fileMissingSince: null,
    deletedAt: null,
    fate: 'planned',
  })
  t.match(
    text.en,
    /for 2 months from the end of the call.*28 February 2026.*12:00:00.*2026-02-28T10:00:00.123Z/,
  )
  t.match(
    text.fi,
    /säilytysaika on 2 kuukautta puhelun päättymisestä.*28\. helmikuuta 2026.*12\.00\.00/,
  )
  t.match(text.sv, /är 2 månader från samtalets slut.*28 februari 2026.*12[.:]00[.:]00/)
  t.match(text.en, /The contact’s row is kept: it is deleted on request only\.$/)
  t.match(text.fi, /ne poistetaan vain pyynnöstä\.$/)
  t.match(text.sv, /de raderas endast på begäran\.$/)
})

t.test('a recording that is due waits for the next sweep', async (t) => {
  const explanation = await explain(await recording(), Date.parse('2026-03-01T00:00:00Z'))
  t.equal(explanation.fate, 'due')
  t.match(explanation.text.en, /ran out on 28 February 2026.*next sweep/)
})

t.test('a hold is told with its reason, its author and its end', async (t) => {
  const recordingId = await recording()
  const untilMs = Date.parse('2026-06-01T00:00:00Z')
  const hold = { reason: 'claim 17', placedBy: 'officer', nowMs: NOW }
  await placeHold(trail, { ...hold, recordingId, untilMs })
  const explanation = await explain(recordingId, Date.parse('2026-03-01T00:00:00Z'))
  t.equal(explanation.fate, 'held')
  t.match(explanation.holds, [{ reason: 'claim 17', untilMs }])
  t.match(explanation.text.en, /on hold \(reason: claim 17; placed by officer\) until 1 June 2026/)
  t.match(
    explanation.text.fi,
    /poistokielto \(syy: claim 17; asettaja: officer\).*1\. kesäkuuta 2026/,
  )
  t.match(
    explanation.text.sv,
    /raderingsförbud \(orsak: claim 17; utfärdat av officer\).*1 juni 2026/,
  )
})

t.test('lines without a period and lines without a policy keep, and say so', async (t) => {
  t.match(await explain(await recording('tunnistamaton')), {
    fate: 'kept',
    isCatchAll: true,
    period: null,
    deleteAfter: null,
    text: { fi: /ei ole määritetty säilytysaikaa/ },
  })
  t.match(await explain(await recording('tuntematon')), {
    fate: 'unruled',
    policyVersion: null,
    text: { sv: /Ingen lagringsregel har fastställts/ },
  })
})

t.test('an open call, a begun deletion and a finished one are told as such', async (t) => {
  const id = await recording()
  const set = (state: string) =>
    pool.query('UPDATE recordings SET state = ? WHERE id = ?', [state, id])
  await set('recording')
  t.match(await explain(id), { fate: 'open', text: { en: /still going on/ } })
  await set('deleting')
  await pool.query('UPDATE recordings SET deleting_at = ?, deleted_by_policy = 1 WHERE id = ?', [
    new Date('2026-02-28T10:00:30Z'),
    id,
  ])
  t.match(await explain(id), { fate: 'deleting', text: { fi: /aloitettiin 28\. helmikuuta 2026/ } })
  await set('deleted')
  await pool.query('UPDATE recordings SET deleted_at = ? WHERE id = ?', [
    new Date('2026-02-28T10:01:00Z'),
    id,
  ])
  await from.setPeriods({ asiakastuki: 'P1Y', tunnistamaton: null })
  t.match(await explain(id), {
    fate: 'deleted',
    period: 'P2M',
    policyVersion: 1,
    deletedAt: '2026-02-28T10:01:00.000Z',
    text: {
      en: /under version 1 of the retention policy of service line asiakastuki \(2 months\)/,
    },
  })
})

t.test('there is nothing to explain where there is no recording', async (t) => {
  t.equal(await explainRecording(pool, newId(), NOW), undefined)
})
