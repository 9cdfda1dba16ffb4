import { readHeaders } from '../../../gateway/sip/read-headers.ts'
import type { ReadHeaders } from '../../../gateway/siprec/recording-session-request.ts'
import { messageNames, readMessage } from '../../interoperability/scenario.ts'

/** A SIP message of sip-fixtures/, divided into its parts. */
export interface Fixture {
  /** As `oracle/invite`. */
  readonly name: string
  readonly requestUri: string
  readonly headers: ReadHeaders
  readonly contentType: string
  readonly body: string
}

export const fixtureNames = messageNames

export function readFixture(name: string): Fixture {
  const message = Buffer.from(readMessage(name), 'latin1').toString()
  const end = message.indexOf('\r\n\r\n')
  const headers = readHeaders(message)
  return {
    name,
    requestUri: message.split(' ', 2)[1] ?? '',
    headers,
    contentType: headers('Content-Type')[0] ?? '',
    body: message.slice(end + 4),
  }
}
