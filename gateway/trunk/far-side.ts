import type { TrunkTarget } from '../../config/trunk-config.ts'
import type { Party } from '../media/trunk-media.ts'
import { type HiddenHosts, hideHosts } from './hide-hosts.ts'
import { type NamedDialog, readReplaces, replacesIn, writeReplaces } from './replaces.ts'

/**
 * The other dialog of a call of ours that somebody names by the dialog that they have with us. Calls that pass
 * through us are two dialogs each, and a party knows only its own.
 */
export interface FarSide {
  /** As the far party knows it. */
  readonly named: NamedDialog
  readonly party: Party
  /** Where the far party is. */
  readonly target: TrunkTarget
}

/** What is known of a target holds for whoever answered there; callers are nobody's to trust. */
export function farTarget(
  { party, uri }: { readonly party: Party; readonly uri: string },
  target: TrunkTarget | undefined,
): TrunkTarget {
  if (party === 'platform' && target !== undefined) return { ...target, uri }
  return { uri, priority: 1, weight: 1, isTrusted: false }
}

export type FarSideOf = (named: NamedDialog) => FarSide | undefined

/** Undefined where the text names no dialog of ours. */
export function farSideNamed(replaces: string, farSideOf: FarSideOf): FarSide | undefined {
  const named = readReplaces(replaces)
  return named && farSideOf(named)
}

/**
 * A Refer-To as it goes on to `party`: without hosts of the other side, and where its Replaces names a dialog with us,
 * with the one that the party to be called has.
 */
export function passedReferTo(
  referTo: string,
  options: { readonly party: Party; readonly hosts: HiddenHosts; readonly farSideOf: FarSideOf },
): string {
  const { party, hosts, farSideOf } = options
  const far = farSideNamed(replacesIn(referTo) ?? '', farSideOf)
  if (far === undefined) return hideHosts(referTo, hosts)
  const replaces = encodeURIComponent(writeReplaces(far.named))
  // Somebody on the recipient's own side is called there; on the other side, by way of us.
  const uri = far.party === party ? far.target.uri : hideHosts(far.target.uri, hosts)
  return `<${uri}?Replaces=${replaces}>`
}
