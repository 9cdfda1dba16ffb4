import { isIP } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { CallMaker } from '../sip/call-maker.ts'
import { DigestSession } from '../sip/digest-session.ts'
import type { SipHeaders, SipResponse } from '../sip/sip-surface.ts'
import { sourceUri } from '../sip/source-uri.ts'
import { readSipAddress } from '../sip-address.ts'
import { type TargetAttempt, type TargetOutcome, tryTarget } from './try-target.ts'

export type CredentialedOutcome =
  | Exclude<TargetOutcome, { readonly kind: 'answered' }>
  | (Extract<TargetOutcome, { readonly kind: 'answered' }> & {
      /** For later requests of the dialog; undefined where the target has no credentials. */
      readonly digest: DigestSession | undefined
    })

/** A proxy, then the target, and each once more for a nonce that has grown stale. */
const MOST_CHALLENGES = 4

/** Tries a target, and again with the credentials that it asks for. Never rejects. */
export async function tryWithCredentials(
  attempt: Omit<TargetAttempt, 'proxy'>,
  tools: { readonly calls: CallMaker; readonly clock: Clock },
): Promise<CredentialedOutcome> {
  const { target, uri, localSdp } = attempt
  const digest = target.credentials && new DigestSession(target.credentials)
  let again: Pick<TargetAttempt, 'headers' | 'proxy'> = {
    headers: attempt.headers,
    proxy: undefined,
  }
  for (let challenges = 0; ; challenges++) {
    const outcome = await tryTarget({ ...attempt, ...again }, tools)
    if (outcome.kind === 'answered') return { ...outcome, digest }
    if (outcome.kind !== 'refused' || outcome.response === undefined) return outcome
    const { response } = outcome
    const isWorthIt = challenges < MOST_CHALLENGES && digest?.takes(response, again.headers)
    if (digest === undefined || !isWorthIt) return outcome
    again = {
      headers: {
        ...attempt.headers,
        ...continuing(response),
        ...digest.headersFor({ method: 'INVITE', uri, body: localSdp }),
      },
      proxy: challengerOf(response, uri),
    }
  }
}

/** The same call, counted on (RFC 3261 §22.2). */
function continuing(response: SipResponse): SipHeaders {
  const sequence = Number.parseInt(response.get('CSeq') ?? '1', 10)
  return {
    From: response.get('From') ?? '',
    'call-id': response.get('Call-ID') ?? '',
    CSeq: `${sequence + 1} INVITE`,
  }
}

/** A name may stand for several servers, of which only the one that made the nonce knows it. */
function challengerOf(response: SipResponse, uri: string): string | undefined {
  const { host } = readSipAddress(uri)
  if (isIP(host) !== 0 || isIP(response.source_address) === 0) return undefined
  return sourceUri(response, uri)
}
