import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { Party } from '../media/trunk-media.ts'
import type { PlatformDialog } from '../sip/call-maker.ts'
import { type TimerAgreement, timerHeaders } from '../sip/session-timer.ts'
import type { DialogMaker, SipDialog, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { carriedResponseHeaders } from './carried-headers.ts'
import type { HiddenHosts } from './hide-hosts.ts'
import { TRUNK_ALLOW } from './leg-headers.ts'

/**
 * Answers the caller as the platform did. Calls back in the turn in which the 200 has left, so that nothing of the
 * dialog is missed, or with undefined where the caller was gone by then.
 */
export function answerCaller(
  options: {
    readonly request: SipRequest
    readonly response: SipResponse
    readonly framework: DialogMaker
    readonly platform: PlatformDialog
    readonly localSdp: string
    readonly hosts: Readonly<Record<Party, HiddenHosts>>
    readonly agreement: TimerAgreement
    readonly log: Log
  },
  onAnswered: (caller: SipDialog | undefined) => void,
): void {
  const { request, response, framework, platform, localSdp, hosts, agreement, log } = options
  const headers = {
    ...carriedResponseHeaders((name) => platform.res.get(name), hosts.caller),
    ...timerHeaders(agreement),
    Allow: TRUNK_ALLOW,
    Supported: 'timer, replaces',
    'Content-Type': 'application/sdp',
  }
  framework.createUAS(request, response, { localSdp, headers }, (failure, caller) => {
    if (caller === undefined) {
      log.info({ reason: messageOf(failure) }, 'caller was gone before the answer')
    }
    onAnswered(caller)
  })
}
