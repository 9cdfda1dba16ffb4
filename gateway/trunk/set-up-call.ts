import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import { NotAdmitted } from '../admission/admission.ts'
import type { Party, TrunkMedia } from '../media/trunk-media.ts'
import type { CallMaker, OutgoingInvite } from '../sip/call-maker.ts'
import type { Refusal } from '../sip/refusal.ts'
import type { TimerAgreement, TimerLimits } from '../sip/session-timer.ts'
import type { DialogMaker, SipDialog, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { answerCaller } from './answer-caller.ts'
import type { CallerResponses } from './caller-responses.ts'
import { answerEarlyUpdate } from './early-update.ts'
import { type FarSideOf, farSideNamed } from './far-side.ts'
import type { HiddenHosts } from './hide-hosts.ts'
import { JoinedLeg } from './joined-leg.ts'
import { type Passed, passOn } from './pass-on.ts'
import { playAnnouncement } from './play-announcement.ts'
import { writeReplaces } from './replaces.ts'
import type { TrunkRecording } from './trunk-recording.ts'

type Answered = Extract<Passed, { readonly kind: 'answered' }>

/** A call that both parties have answered. */
export interface EstablishedCall extends Answered {
  readonly media: TrunkMedia
  readonly caller: SipDialog
  readonly callerSdp: string
}

export interface CallSetupOptions {
  readonly request: SipRequest
  readonly response: SipResponse
  readonly responses: CallerResponses
  readonly route: TrunkRoute
  /** In the order in which they are tried. */
  readonly targets: readonly TrunkTarget[]
  readonly dialled: string
  readonly serviceLine: string | null
  /** For the next hop. */
  readonly hopsLeft: number
  /** What each party may know of the other's network. */
  readonly hosts: Readonly<Record<Party, HiddenHosts>>
  readonly farSideOf: FarSideOf
  readonly recording: TrunkRecording
  readonly framework: DialogMaker & CallMaker
  readonly timer: TimerLimits
  readonly agreement: TimerAgreement
  readonly clock: Clock
  readonly log: Log
  /** A file of the announcement was not played. */
  readonly onAnnouncementFailed: () => void
  /** An INVITE to a target is on its way. */
  readonly onSent: (invite: OutgoingInvite) => void
  /** What a target made of the call, for the judgement of targets. */
  readonly onTarget: (target: TrunkTarget, isThere: boolean) => void
}

export interface CallSetupEvents {
  readonly onMedia: (media: TrunkMedia) => void
  readonly onAnnouncing: () => void
  readonly onPassing: () => void
  /** In the turn in which the caller's 200 has left, so that nothing of its dialog is missed. */
  readonly onEstablished: (call: EstablishedCall) => void
  /** The caller was gone when the platform answered. */
  readonly onCallerGone: () => void
  /** The platform has answered and hung up before the caller was answered. */
  readonly onPlatformGone: (bye: SipRequest | undefined) => void
}

const RETRY_AFTER_S = 5

/**
 * Takes a call from its INVITE to its answer: media, the announcement, the platform, the caller's 200. Resolves with
 * how the caller is to be refused where it comes to that, and with undefined else, also after `giveUp`.
 */
export async function setUpCall(
  options: CallSetupOptions,
  events: CallSetupEvents,
  giveUp: AbortSignal,
): Promise<Refusal | undefined> {
  const { route, responses, log, framework } = options
  const opened = await openMedia(options)
  if (opened.kind === 'refused') return opened.refusal
  const { media } = opened
  if (giveUp.aborted) return undefined
  events.onMedia(media)
  const files = announcedTo(options.serviceLine, route)
  if (files.length > 0) {
    events.onAnnouncing()
    await playAnnouncement(files, {
      media,
      cancel: giveUp,
      onAnswer: (sdp) => responses.announce(sdp),
      onFailed: options.onAnnouncementFailed,
      log,
    })
    if (giveUp.aborted) return undefined
  }
  events.onPassing()
  const passed = await passOn({
    ...options,
    ...replacing(options),
    calls: framework,
    giveUp,
    offer: ({ srtp }) => media.offerForPlatform(srtp),
    onProvisional: async (response) => {
      if (!giveUp.aborted) await responses.passProvisional(response, media)
    },
    onUpdate: (update, localSdp) => answerEarlyUpdate(update, { media, localSdp, log }),
  })
  if (passed.kind === 'refused') return { ...passed, reason: '' }
  return passed.kind === 'answered'
    ? join(media, passed, { ...options, ...events, giveUp })
    : undefined
}

function announcedTo(serviceLine: string | null, { announcement }: TrunkRoute): readonly string[] {
  return announcement?.lines[serviceLine ?? ''] ?? announcement?.files ?? []
}

/** Where the INVITE takes the place of a call through us, it goes to whoever is at that one's far end. */
function replacing({ request, targets, farSideOf }: CallSetupOptions) {
  const asked = request.get('Replaces')
  if (asked === undefined) return { targets, replaces: undefined }
  const far = farSideNamed(asked, farSideOf)
  if (far === undefined) return { targets, replaces: asked }
  return { targets: [far.target], replaces: writeReplaces(far.named) }
}

type Opened =
  | { readonly kind: 'open'; readonly media: TrunkMedia }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

async function openMedia({ request, recording, log }: CallSetupOptions): Promise<Opened> {
  try {
    return { kind: 'open', media: await recording.open(request.body ? request.body : null) }
  } catch (error) {
    const code = error instanceof TallenneError ? error.code : 'no_media'
    log.warn({ code, reason: messageOf(error) }, 'call refused for want of media')
    const retryAfterS = error instanceof NotAdmitted ? error.obstacle.retryAfterS : RETRY_AFTER_S
    const refusal =
      code === 'unusable_offer'
        ? { status: 488, reason: 'Not Acceptable Here', headers: {} }
        : {
            status: 503,
            reason: 'Service Unavailable',
            headers: { 'Retry-After': `${retryAfterS}` },
          }
    return { kind: 'refused', refusal }
  }
}

/** Answers the caller as the platform did, or hangs up on a platform whose answer comes to nothing. */
async function join(
  media: TrunkMedia,
  answered: Answered,
  options: CallSetupOptions & CallSetupEvents & { readonly giveUp: AbortSignal },
): Promise<Refusal | undefined> {
  const { log, giveUp, onEstablished, onCallerGone, onPlatformGone } = options
  const { dialog: platform, digest, answeredAtMs } = answered
  const leg = new JoinedLeg(platform, digest)
  const leave = () => void leg.hangUp()
  void leg.hungUp.then(onPlatformGone)
  let callerSdp: string
  try {
    callerSdp = await media.answerFromPlatform(platform.remote.sdp ?? '')
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'platform’s answer cannot be taken')
    leave()
    return { status: 502, reason: 'Bad Gateway', headers: {} }
  }
  const mayAnswer = await options.recording.mayAnswer()
  if (!mayAnswer && !giveUp.aborted) {
    log.warn('call refused: its route requires a recording, and the journal hangs')
    leave()
    return {
      status: 503,
      reason: 'Service Unavailable',
      headers: { 'Retry-After': `${RETRY_AFTER_S}` },
    }
  }
  if (giveUp.aborted) {
    leave()
    return undefined
  }
  // Told before the 200 leaves, so that the first packets find the timeline's zero set.
  media.answered(answeredAtMs).catch(() => undefined)
  answerCaller({ ...options, platform, localSdp: callerSdp }, (caller) => {
    if (caller !== undefined && !giveUp.aborted) {
      return onEstablished({ ...answered, media, caller, callerSdp })
    }
    leave()
    void caller?.destroy().catch(() => undefined)
    onCallerGone()
  })
  return undefined
}
