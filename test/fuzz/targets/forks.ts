import { once } from 'node:events'
import { connect } from 'node:net'
import { SystemClock } from '../../../base/clock.ts'
import { ForkLeg } from '../../../recorder/fork-leg.ts'
import { ForkServer } from '../../../recorder/fork-server.ts'
import { TimelineLeg } from '../../../recorder/timeline-leg.ts'
import type { FuzzTarget } from '../target.ts'

const TOKEN = 'token-1'
const HANDSHAKE = [
  `GET /${TOKEN} HTTP/1.1`,
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: audio.drachtio.org',
  '',
  '',
].join('\r\n')

/** A frame as a client sends it, masked with zeros (RFC 6455 §5.2). */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const head = Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length])
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

/** What comes over a fork after its handshake is audio, or ends that fork and nothing else. */
export const forks: FuzzTarget = {
  name: 'websocket',
  covers: ['recorder/fork'],
  seeds: () => [
    Buffer.concat([frame(2, new Uint8Array(640)), frame(2, new Uint8Array(641))]),
    Buffer.concat([frame(1, Buffer.from('{"type":"start"}')), frame(2, new Uint8Array(0))]),
    Buffer.concat([frame(9, Buffer.from('ping')), frame(8, Buffer.from([3, 232]))]),
  ],
  words: [
    '\u0082\u00fe',
    '\u0081\u0080',
    '\u0088\u0082',
    '\u00ff\u00ff',
    '\u0080\u0080',
    '\u0002\u00ff',
  ],
  maxBytes: 8_192,
  start: async () => {
    const clock = new SystemClock()
    const server = new ForkServer({ host: '127.0.0.1', port: 0, maxForks: 10, clock })
    const port = await server.start()
    return {
      take: async (input) => {
        const legs = (['caller', 'agent'] as const).map(
          (role) =>
            new ForkLeg({
              plan: { streamId: role, role, isReceiving: true },
              leg: new TimelineLeg(Math.round(clock.monotonicMs() * 8) - 8000, () => {}),
              clock,
              onLost: () => {},
            }),
        )
        server.expect(TOKEN, { legs, onConnected: () => {}, onEnded: () => {} })
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        const closed = once(socket, 'close')
        socket.write(HANDSHAKE)
        await Promise.race([once(socket, 'data'), closed])
        socket.resume()
        socket.end(input)
        await closed
        server.release(TOKEN)
      },
      close: () => server.close(),
    }
  },
}
