import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Address, formatAddress } from '../../base/address.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import { DEFAULT_LIMITS } from '../../gateway/sip-server/limits.ts'
import { parseHead, type SipMessage } from '../../gateway/sip-server/sip-message.ts'
import { StreamFramer } from '../../gateway/sip-server/stream-framer.ts'

/** What SIP is played over. */
export type SipTransport = 'udp' | 'tcp'

/** Carries SIP messages to and from one gateway. Text has one character for each byte. */
export interface SipCarrier {
  readonly local: Address
  /** What comes from now on, and that nothing more will; once. */
  hear(onMessage: (message: SipMessage) => void, onLost: () => void): void
  send(text: string): void
  close(): void
}

type Resolved = Address & { readonly family: number }

/** Opens a carrier to an address. Rejects with `no_answer` where nobody takes the connection. */
export function openCarrier(transport: SipTransport, gateway: Resolved): Promise<SipCarrier> {
  return transport === 'tcp' ? openStream(gateway) : openDatagrams(gateway)
}

async function openDatagrams({ host, port, family }: Resolved): Promise<SipCarrier> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  socket.connect(port, host)
  await once(socket, 'connect')
  // A port that is closed shows as a request without an answer.
  socket.on('error', () => {})
  const local = socket.address()
  return {
    local: { host: local.address, port: local.port },
    hear: (onMessage) => {
      socket.on('message', (datagram) => {
        const text = datagram.toString('latin1')
        const head = parseHead(text, DEFAULT_LIMITS)
        if (head.kind === 'head') onMessage({ ...head.message, body: text.slice(head.bodyStart) })
      })
    },
    send: (text) => socket.send(Buffer.from(text, 'latin1')),
    close: () => socket.close(),
  }
}

async function openStream({ host, port }: Resolved): Promise<SipCarrier> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect').catch((error: unknown) => {
    throw new TallenneError(
      'no_answer',
      `Nobody takes SIP over TCP at ${formatAddress({ host, port })}.`,
      {
        cause: error,
      },
    )
  })
  socket.on('error', () => {})
  return {
    local: { host: socket.localAddress ?? host, port: socket.localPort ?? 0 },
    hear: (onMessage, onLost) => {
      const framer = new StreamFramer(DEFAULT_LIMITS)
      socket.on('data', (bytes: Buffer) => {
        for (const item of framer.push(bytes.toString('latin1'))) {
          if (item.kind === 'message') onMessage(item.message)
          else if (item.kind === 'keep_alive') socket.write('\r\n')
        }
      })
      socket.on('close', onLost)
    },
    send: (text) => socket.write(text, 'latin1'),
    close: () => socket.end(),
  }
}
