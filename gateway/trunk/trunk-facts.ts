import type { Config } from '../../config/config.ts'
import { serviceLineOf } from '../../config/service-lines.ts'
import type { ContactFacts } from '../calls/contact-record.ts'
import { readNumber } from '../read-number.ts'
import type { SipRequest } from '../sip/sip-surface.ts'
import { readSipAddress } from '../sip-address.ts'
import type { Identification } from '../siprec/identification.ts'
import { identifyParties } from '../siprec/parties.ts'
import { callReference } from '../siprec/platform-references.ts'
import type { ReadHeaders } from '../siprec/recording-session-request.ts'

/** What was dialled, as routes name it: E.164 where it is a number, else the user part as received. */
export function dialledNumber(requestUri: string, region: string): string {
  return readNumber(requestUri, region).e164 ?? readSipAddress(requestUri).user
}

/** Who calls which service line, by the INVITE; who answers is known later. */
export function trunkFacts(
  request: SipRequest,
  options: {
    readonly headers: ReadHeaders
    readonly identification: Identification
    readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  },
): ContactFacts {
  const { headers, identification, lines } = options
  const { caller, serviceNumber, references, foundIn } = identifyParties({
    headers,
    requestUri: request.uri,
    metadata: null,
    serviceNumbers: lines.serviceLines.flatMap((line) => line.numbers),
    settings: identification,
  })
  const isIdentified = serviceNumber.raw !== null
  const service = isIdentified ? serviceNumber : readNumber(request.uri, identification.region)
  return {
    // A trunk brings calls in; what a platform calls out does not pass here.
    direction: 'inbound',
    caller,
    serviceNumber: service,
    serviceLine: serviceLineOf(service.e164, lines),
    agent: null,
    platformReference: callReference(references)?.value ?? null,
    foundIn: {
      ...foundIn,
      serviceNumber: isIdentified
        ? foundIn.serviceNumber
        : { source: 'Request-URI', isGuess: false },
      agent: null,
    },
    metadata: null,
  }
}
