import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'
import type { Config } from '../../config/config.ts'
import type { TrunkRoute } from '../../config/trunk-config.ts'
import type { CallAdmission } from '../admission/admission.ts'
import type { CallControls } from '../calls/call-controls.ts'
import type { CallEvents } from '../calls/call-events.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import type { Party, TrunkMediaPlane } from '../media/trunk-media.ts'
import type { TimerLimits } from '../sip/session-timer.ts'
import type { SipRequest } from '../sip/sip-surface.ts'
import { readSipAddress } from '../sip-address.ts'
import { AddressReader } from '../siprec/address-reader.ts'
import type { Identification } from '../siprec/identification.ts'
import type { HiddenHosts } from './hide-hosts.ts'
import type { TargetHealth } from './target-health.ts'
import { orderTargets } from './target-order.ts'
import { TrunkCall, type TrunkCallOptions } from './trunk-call.ts'
import type { TrunkEvents } from './trunk-metrics.ts'
import { TrunkRecording } from './trunk-recording.ts'

/** What every call of the node is made of. */
export interface CallParts {
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  /** By the name that a route gives. */
  readonly planes: Readonly<Partial<Record<TrunkRoute['media'], TrunkMediaPlane>>>
  readonly files: RecordingFiles
  readonly controls: CallControls
  readonly admission: CallAdmission
  readonly timer: TimerLimits
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly orphanQuietMs: number
  readonly identification: Identification
  readonly health: TargetHealth
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  readonly trunkEvents: TrunkEvents
}

/** What an INVITE brings to its call. */
export type ArrivedInvite = Pick<
  TrunkCallOptions,
  | 'request'
  | 'response'
  | 'framework'
  | 'dialled'
  | 'contact'
  | 'agreement'
  | 'hopsLeft'
  | 'farSideOf'
  | 'onSent'
  | 'onEnded'
>

/** Makes a call of an INVITE, its route and what the node has; `run` or `refuse` follows. */
export function assembleCall(
  route: TrunkRoute,
  invite: ArrivedInvite,
  parts: CallParts,
): TrunkCall {
  const { planes, health, trunkEvents, log, lines, identification } = parts
  const { contact } = invite
  const plane = planes[route.media]
  if (plane === undefined) {
    throw new TallenneError('no_media_plane', `route ${route.name}: no ${route.media} plane runs`)
  }
  const numbers = lines.serviceLines.flatMap((line) => line.numbers)
  const addresses = new AddressReader(identification.region, numbers)
  const control = parts.controls.create(contact)
  const recording = new TrunkRecording({
    ...parts,
    control,
    recordingId: newId(),
    contact,
    route,
    plane,
    log: log.child({ callId: contact.callId, contactId: contact.contactId }),
    onUnrecorded: (code) => trunkEvents.unrecorded(code),
  })
  return new TrunkCall({
    ...parts,
    ...invite,
    route,
    serviceLine: contact.facts.serviceLine,
    hosts: hiddenHosts(invite.request, route),
    targets: orderTargets(route.targets, ({ uri }) => health.isUp(uri), Math.random),
    recording,
    control,
    isServiceNumber: (address) => addresses.isServiceNumber(address),
    onAnnouncementFailed: () => trunkEvents.announcementFailed(route.name),
    onTarget: (target, isThere) => {
      if (!isThere) trunkEvents.targetFailed(route.name)
      if (isThere) health.tookCall(target.uri)
      else health.leftCall(target.uri)
    },
  })
}

/** Neither party learns of the other's machines; platforms are known by the names of their targets, too. */
function hiddenHosts(
  request: SipRequest,
  { targets }: TrunkRoute,
): Readonly<Record<Party, HiddenHosts>> {
  const own = request.receivedOn ?? 'localhost'
  const names = targets.map(({ uri }) => readSipAddress(uri).host.toLowerCase())
  return { caller: { own, names: new Set(names) }, platform: { own, names: new Set() } }
}
