import t, { type Test } from 'tap'
import type { EnginePool } from '../../../gateway/media/engine-pool.ts'
import {
  type SignallingNodeOptions,
  startSignallingNode,
  startStandIns,
} from '../signalling-node.ts'

let shared: Promise<EnginePool> | undefined

/** A node whose engines are those of all tests in the file, which must neither kill nor fill them. */
export async function startNode(
  own: Pick<Test, 'teardown'>,
  options: Omit<SignallingNodeOptions, 'pool' | 'engines' | 'maxRecordings'> = {},
) {
  shared ??= startStandIns(t)
  return startSignallingNode(own, { ...options, pool: await shared })
}
