import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { playScenario } from './play-scenario.ts'
import { readProduct, readScenarios, vendorNames } from './scenario.ts'

for (const vendor of vendorNames()) {
  t.test(`what ${readProduct(vendor).name} sends is recorded as it should be`, async (t) => {
    for (const scenario of readScenarios(vendor)) {
      await t.test(`${scenario.name}: ${scenario.title}`, async (t) => {
        const files = scenario.messages.map(({ file }) => file)
        const outcome = await playScenario(scenario, t)
        const messages = outcome.messages.map((message, at) => ({ file: files[at], ...message }))
        const expected = scenario.messages.map(({ file, expected }) => ({ file, ...expected }))
        if (scenario.awaits !== undefined) {
          const isThere =
            isDeepStrictEqual(messages, expected) &&
            isDeepStrictEqual(outcome.contacts, scenario.contacts)
          t.notOk(isThere, `awaits ${scenario.awaits} no longer: take that line out`)
          return
        }
        for (const [at, message] of messages.entries()) t.strictSame(message, expected[at])
        t.strictSame(outcome.contacts, scenario.contacts)
      })
    }
  })
}
