import t from 'tap'
import type { Parties } from '../../../gateway/siprec/parties.ts'
import { readRecordingRequest } from '../../../gateway/siprec/recording-session-request.ts'
import { fixtureNames, readFixture } from './fixture.ts'
import { assertSound, takeWhole } from './take-whole.ts'

/** Whether the text holds a number or name as it stands, not as the beginning of a longer one. */
function holdsWhole(text: string, wanted: string): boolean {
  const at = text.indexOf(wanted)
  return at >= 0 && !/[\w]/.test(text[at + wanted.length] ?? '')
}

for (const name of fixtureNames()) {
  t.test(`${name} cut off anywhere gives values and never a wrong number`, async (t) => {
    const fixture = readFixture(name)
    const step = Math.max(1, Math.floor(fixture.body.length / 4096))
    const callers = new Set<Parties['caller']['display']>()
    let last = ''
    for (let end = 0; end < fixture.body.length; end += step) {
      const request = readRecordingRequest(fixture.contentType, fixture.body.slice(0, end))
      const read = JSON.stringify([request.sdp, request.metadata])
      if (read === last) continue
      last = read
      const { parties, sdp } = takeWhole(fixture, request)
      assertSound(sdp, request.sdp?.media.length)
      callers.add(parties.caller.display)
    }
    const said = [fixture.body, ...fixture.headers('From'), '+12025550147'].join(' ')
    t.same(
      [...callers].filter((caller) => caller !== null && !holdsWhole(said, caller)),
      [],
    )
  })
}
