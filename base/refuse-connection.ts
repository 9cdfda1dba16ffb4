import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { PROBLEM_TYPE, problemText } from './problem.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

interface Refusal {
  readonly reason: 'too_slow' | 'too_long' | 'no_http'
  readonly status: number
  readonly detail: string
}

const REFUSALS: ReadonlyMap<string, Refusal> = new Map([
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { reason: 'too_slow', status: 408, detail: 'The request did not come whole in time.' },
  ],
  [
    'HPE_HEADER_OVERFLOW',
    { reason: 'too_long', status: 431, detail: 'The request line and the headers are too long.' },
  ],
])
const NO_HTTP: Refusal = { reason: 'no_http', status: 400, detail: 'This is no HTTP request.' }

/**
 * Answers what no request can be made of, so that no route and no hook sees it, and closes its connection. Gives the
 * reason; none where the client was the one that broke off.
 */
export function refuseConnection(
  error: NodeJS.ErrnoException,
  socket: Duplex,
): Refusal['reason'] | undefined {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return undefined
  }
  const { reason, status, detail } = REFUSALS.get(error.code ?? '') ?? NO_HTTP
  const body = problemText({ status, code: 'bad_request', detail })
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  socket.destroy()
  return reason
}
