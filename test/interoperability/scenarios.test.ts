import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { interoperabilityDocument } from './document.ts'
import { playProducts } from './play-products.ts'

const products = await playProducts()

for (const { product, played } of products) {
  t.test(`what ${product.name} sends is recorded as it must be`, async (t) => {
    t.ok(played.length > 0)
    for (const { scenario, outcome } of played) {
      await t.test(`${scenario.name}: ${scenario.title}`, async (t) => {
        const files = scenario.messages.map(({ file }) => file)
        const messages = outcome.messages.map((message, at) => ({ file: files[at], ...message }))
        const expected = scenario.messages.map(({ file, expected }) => ({ file, ...expected }))
        if (scenario.awaits !== undefined) {
          const isThere =
            isDeepStrictEqual(messages, expected) &&
            isDeepStrictEqual(outcome.contacts, scenario.contacts)
          t.notOk(isThere, `awaits ${scenario.awaits} no longer: take that line out`)
          return
        }
        t.equal(messages.length, expected.length)
        for (const [at, message] of messages.entries()) t.strictSame(message, expected[at])
        t.strictSame(outcome.contacts, scenario.contacts)
      })
    }
  })
}

t.test('the page on interoperability is that of these messages and outcomes', async (t) => {
  const page = new URL('../../../docs/interoperability.md', import.meta.url)
  t.equal(
    readFileSync(page, 'utf8'),
    interoperabilityDocument(products),
    'npm run interoperability writes it anew',
  )
})
