import type { StreamPlan } from '../../recorder/recording-plan.ts'
import { versionOf } from '../siprec/answer-plan.ts'
import { type MediaCapabilities, usableFormats } from '../siprec/media-capabilities.ts'
import { mayReceive, maySend } from './party-description.ts'
import type { TrunkLeg } from './trunk-leg.ts'
import { otherOf, type Party } from './trunk-media.ts'

/** The two streams of a trunk call as the engine is to handle them now: caller first, each relayed to the other. */
export function planTrunkStreams(
  legs: Readonly<Record<Party, TrunkLeg>>,
  options: { readonly capabilities: MediaCapabilities; readonly isRecorded: boolean },
): readonly StreamPlan[] {
  return (['caller', 'platform'] as const).map((party) => planOf(party, { legs, ...options }))
}

function planOf(
  party: Party,
  options: {
    readonly legs: Readonly<Record<Party, TrunkLeg>>
    readonly capabilities: MediaCapabilities
    readonly isRecorded: boolean
  },
): StreamPlan {
  const { theirs, remote, formats, protection } = options.legs[party]
  const { srtp } = protection
  const other = options.legs[otherOf(party)].theirs
  const usable = usableFormats(formats, options.capabilities)
  const recordable = new Set(usable.kept.map(({ payloadType }) => payloadType))
  const all = new Set(formats.map(({ payloadType }) => payloadType))
  const isHeard = (!theirs || maySend(theirs)) && (!other || mayReceive(other))
  const rtcpPort = theirs?.audio.rtcpPort ?? undefined
  return {
    streamId: party,
    role: party === 'caller' ? 'caller' : 'agent',
    isReceiving: options.isRecorded && isHeard,
    formats: usable.formats,
    eventPayloadTypes: usable.eventPayloadTypes,
    comfortNoisePayloadTypes: usable.comfortNoisePayloadTypes,
    redundantPayloadTypes: usable.redundantPayloadTypes,
    remote,
    ...versionOf(theirs?.audio.address ?? null),
    ...(srtp === undefined ? {} : { srtp }),
    relay: {
      toStreamId: otherOf(party),
      otherPayloadTypes: [...all].filter((payloadType) => !recordable.has(payloadType)),
      isMuted: theirs?.audio.isHeld ?? false,
      ...(rtcpPort === undefined ? {} : { rtcpPort }),
    },
  }
}
