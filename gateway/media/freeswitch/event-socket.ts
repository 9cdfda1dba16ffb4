import { createConnection, type Socket } from 'node:net'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'

export interface EventSocketAddress {
  readonly host: string
  readonly port: number
  readonly password: string
}

/** An API answer longer than this is cut off. */
const LONGEST_ANSWER = 256 * 1024

/**
 * Asks a FreeSWITCH one API command over its event socket, on a connection of its own, and resolves with the body.
 *
 * For questions whose answer decides whether the server is well: unlike the library's connection, it always
 * settles. Rejects with `no_media_server` after `withinMs`, on a refused password, and where the server goes away.
 */
export function askEventSocket(
  address: EventSocketAddress,
  command: string,
  withinMs: number,
): Promise<string> {
  const where = `${address.host}:${address.port}`
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: address.host, port: address.port })
    const fail = (problem: string) => {
      socket.destroy()
      reject(new TallenneError('no_media_server', `FreeSWITCH at ${where}: ${problem}`))
    }
    socket.setNoDelay(true)
    socket.setTimeout(withinMs, () => fail(`no answer within ${withinMs} ms`))
    const deadline = setTimeout(() => fail(`no answer within ${withinMs} ms`), withinMs)
    socket.on('error', (error) => fail(messageOf(error)))
    socket.on('close', () => {
      clearTimeout(deadline)
      fail('it closed the connection')
    })
    readMessages(socket, fail, ({ type, body, reply }) => {
      switch (type) {
        case 'auth/request':
          socket.write(`auth ${address.password}\n\n`)
          return
        case 'command/reply':
          if (reply.startsWith('+OK')) socket.write(`api ${command}\n\n`)
          else fail('it refused the event socket’s password')
          return
        case 'api/response':
          resolve(body)
          socket.destroy()
          return
        case 'text/rude-rejection':
          fail('its access list refuses this machine')
      }
    })
  })
}

interface EventSocketMessage {
  readonly type: string
  readonly reply: string
  readonly body: string
}

/** Cuts the stream into messages: header lines, an empty line, and a body of `Content-Length` bytes. */
function readMessages(
  socket: Socket,
  fail: (problem: string) => void,
  take: (message: EventSocketMessage) => void,
): void {
  let pending = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk])
    if (pending.length > LONGEST_ANSWER) return fail('its answer is too long')
    for (;;) {
      const end = pending.indexOf('\n\n')
      if (end < 0) return
      const head = pending.toString('utf8', 0, end)
      const length = Number(headerOf(head, 'Content-Length') ?? 0)
      if (!(length >= 0 && length <= LONGEST_ANSWER)) return fail('its answer cannot be read')
      if (pending.length < end + 2 + length) return
      const body = pending.toString('utf8', end + 2, end + 2 + length)
      pending = pending.subarray(end + 2 + length)
      const type = headerOf(head, 'Content-Type') ?? ''
      take({ type, reply: headerOf(head, 'Reply-Text') ?? '', body })
    }
  })
}

function headerOf(head: string, name: string): string | undefined {
  const line = head.split('\n').find((text) => text.startsWith(`${name}: `))
  return line?.slice(name.length + 2)
}
