import type { Test } from 'tap'
import type { PlayedProduct } from './document.ts'
import { playScenario } from './play-scenario.ts'
import { readProduct, readScenarios, vendorNames } from './scenario.ts'

/** Plays every scenario, one after the other, each on a gateway of its own. */
export async function playProducts(): Promise<readonly PlayedProduct[]> {
  const products: PlayedProduct[] = []
  for (const vendor of vendorNames()) {
    const played = []
    for (const scenario of readScenarios(vendor)) {
      const endings: (() => unknown)[] = []
      const host: Pick<Test, 'teardown'> = { teardown: (end) => endings.unshift(end) }
      try {
        played.push({ scenario, outcome: await playScenario(scenario, host) })
      } finally {
        for (const end of endings) await end()
      }
    }
    products.push({ vendor, product: readProduct(vendor), played })
  }
  return products
}
