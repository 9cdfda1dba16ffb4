import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { PROBLEM_TYPE, problemText } from './problem.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

const REASONS: ReadonlyMap<string, readonly [status: number, detail: string]> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'The request did not come whole in time.']],
  ['HPE_HEADER_OVERFLOW', [431, 'The request line and the headers are too long.']],
])
const NO_HTTP = [400, 'This is no HTTP request.'] as const

/** Answers what no request can be made of, so that no route and no hook sees it, and closes its connection. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (socket.writable && error.code !== 'ECONNRESET') {
    const [status, detail] = REASONS.get(error.code ?? '') ?? NO_HTTP
    const body = problemText({ status, code: 'bad_request', detail })
    const headers = {
      ...SECURITY_HEADERS,
      'content-type': PROBLEM_TYPE,
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  }
  socket.destroy()
}
