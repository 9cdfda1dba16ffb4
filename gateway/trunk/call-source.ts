import type { TrunkRoute } from '../../config/trunk-config.ts'
import type { CallSource } from '../calls/call-events.ts'

/** What calls of a route are counted as. */
export function sourceOf({ name, media }: Pick<TrunkRoute, 'name' | 'media'>): CallSource {
  return { capture: 'trunk', peer: name, plane: media }
}
