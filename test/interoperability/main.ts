import { writeFileSync } from 'node:fs'
import { interoperabilityDocument, isAsExpected } from './document.ts'
import { playProducts } from './play-products.ts'

/** `npm run interoperability`: writes docs/interoperability.md, and tells which scenarios are not as they must be. */
const products = await playProducts()
writeFileSync(
  new URL('../../../docs/interoperability.md', import.meta.url),
  interoperabilityDocument(products),
)
const played = products.flatMap((product) => product.played)
const wrong = played.filter((scenario) => !isAsExpected(scenario))
for (const { scenario } of wrong) {
  const { vendor, name, awaits } = scenario
  const why = awaits === undefined ? '' : `, which awaits ${awaits}`
  process.stdout.write(`not as expected: ${vendor}/${name}${why}\n`)
}
process.stdout.write(`${played.length - wrong.length} of ${played.length} as expected\n`)
process.exitCode = wrong.some(({ scenario }) => scenario.awaits === undefined) ? 1 : 0
