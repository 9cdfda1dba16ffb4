import { startStandIns } from '../gateway/signalling-node.ts'
import type { PlayedProduct } from './document.ts'
import { playScenario } from './play-scenario.ts'
import { readProduct, readScenarios, vendorNames } from './scenario.ts'

/** Plays every scenario, one after the other, each on a gateway of its own. */
export async function playProducts(): Promise<readonly PlayedProduct[]> {
  return withEndings(async (whole) => {
    const pool = await startStandIns(whole)
    const products: PlayedProduct[] = []
    for (const vendor of vendorNames()) {
      const played = []
      for (const scenario of readScenarios(vendor)) {
        const outcome = await withEndings((t) => playScenario(scenario, { t, pool }))
        played.push({ scenario, outcome })
      }
      products.push({ vendor, product: readProduct(vendor), played })
    }
    return products
  })
}

/** Ends what `work` has begun, the newest first, when it is done. */
async function withEndings<Result>(
  work: (t: { teardown(end: () => unknown): void }) => Promise<Result>,
): Promise<Result> {
  const endings: (() => unknown)[] = []
  try {
    return await work({ teardown: (end) => void endings.unshift(end) })
  } finally {
    for (const end of endings) await end()
  }
}
