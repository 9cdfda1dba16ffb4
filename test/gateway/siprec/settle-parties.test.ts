import t from 'tap'
import { NO_NUMBER, readNumber, withholdNumber } from '../../../gateway/read-number.ts'
import type { Parties } from '../../../gateway/siprec/parties.ts'
import { settleParties } from '../../../gateway/siprec/settle-parties.ts'

const told = { source: 'x', isGuess: false }
const guessed = { source: 'y', isGuess: true }
const nobody: Parties = {
  caller: NO_NUMBER,
  serviceNumber: NO_NUMBER,
  agent: null,
  agents: [],
  references: [],
  foundIn: { caller: null, serviceNumber: null, agent: null, platformReference: null },
  direction: 'unknown',
  callerParticipantId: null,
  agentParticipantId: null,
  soleRole: null,
  hasCrossedStreams: false,
}

function dialled(text: string, foundIn = told): Parties {
  const serviceNumber = readNumber(text, 'US')
  return { ...nobody, serviceNumber, foundIn: { ...nobody.foundIn, serviceNumber: foundIn } }
}

function settled(known: Parties, next: Parties) {
  return settleParties(known, next, ({ e164 }) => e164 === '+12025550100')
}

t.test("a line's number stays when a transfer puts another in its place", async (t) => {
  const moved = settled(dialled('+12025550100'), dialled('2001'))
  t.equal(moved.serviceNumber.display, '+12025550100')
  t.same(moved.foundIn.serviceNumber, told)
})

t.test("a line's number takes any other's place, and what is told that of a guess", async (t) => {
  t.equal(settled(dialled('2001'), dialled('+12025550100')).serviceNumber.display, '+12025550100')
  t.equal(settled(dialled('8000', guessed), dialled('2001')).serviceNumber.display, '2001')
  t.equal(settled(dialled('2001'), dialled('8000', guessed)).serviceNumber.display, '2001')
  t.equal(settled(dialled('2001'), dialled('2002')).serviceNumber.display, '2001')
})

t.test('silence takes nothing away, and a newer caller counts', async (t) => {
  const caller = readNumber('+12025550147', 'US')
  const known: Parties = {
    ...dialled('+12025550100'),
    caller,
    direction: 'inbound',
    agent: '2000',
    foundIn: { ...dialled('+12025550100').foundIn, caller: told, platformReference: told },
  }
  const quiet = settled(known, nobody)
  t.same(
    [quiet.caller, quiet.serviceNumber, quiet.direction],
    [caller, known.serviceNumber, 'inbound'],
  )
  t.same(quiet.foundIn, known.foundIn)
  t.equal(quiet.agent, null, 'nobody handles the call now')
  const other = { ...nobody, caller: readNumber('+12025550148', 'US') }
  t.equal(settled(known, other).caller.display, '+12025550148')
  const withheld = { ...nobody, caller: withholdNumber(NO_NUMBER) }
  t.equal(settled(known, withheld).caller.isWithheld, true)
})
