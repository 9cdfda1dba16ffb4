import { ClientRegistry } from '../../../gateway/sip-server/client-registry.ts'
import { MessageCounters } from '../../../gateway/sip-server/counters.ts'
import { DialogTable } from '../../../gateway/sip-server/dialog-table.ts'
import { OPEN_DOOR } from '../../../gateway/sip-server/door.ts'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { MessageReceiver } from '../../../gateway/sip-server/message-receiver.ts'
import { readDatagram } from '../../../gateway/sip-server/read-datagram.ts'
import { createCore } from '../../../gateway/sip-server/sip-core.ts'
import { StreamFramer } from '../../../gateway/sip-server/stream-framer.ts'
import type { Peer, Received, SipTransport } from '../../../gateway/sip-server/transport.ts'
import { ManualClock } from '../../manual-clock.ts'

/** What came of one message, or of a stream that ended. */
export interface Reaction {
  /** First lines of what was sent back at once. */
  readonly answers: readonly string[]
  /** How many messages were thrown away and counted. */
  readonly dropped: number
  /** Whole messages, and refused ones. */
  readonly taken: readonly Received[]
}

/** Parser, transactions and dialogs of a SIP server on transports that keep what is sent. It has no clients. */
export class MemoryServer {
  readonly clock = new ManualClock()
  readonly #counters = new MessageCounters()
  readonly #dialogs = new DialogTable()
  readonly #sent: string[] = []
  readonly #udp = this.#transport('udp')
  readonly #tcp = this.#transport('tcp')
  readonly #core = createCore({
    clock: this.clock,
    limits: DEFAULT_LIMITS,
    counters: this.#counters,
    dialogs: this.#dialogs,
    registry: new ClientRegistry(),
    transports: [this.#udp, this.#tcp],
    resolver: { resolve: async () => [] },
    door: OPEN_DOOR,
  })
  readonly #messages = new MessageReceiver({
    counters: this.#counters,
    core: this.#core,
    door: OPEN_DOOR,
  })

  /** Transactions that are under way. */
  get transactions(): number {
    return this.#core.incoming.size + this.#core.outgoing.size
  }

  takeDatagram(text: string): Reaction {
    return this.#take(this.#udp, [readDatagram(text, DEFAULT_LIMITS)])
  }

  /** A stream in such pieces, on which nothing comes any more then. */
  takeStream(...pieces: readonly string[]): Reaction {
    const framer = new StreamFramer(DEFAULT_LIMITS)
    const items = pieces.flatMap((piece) => framer.push(piece))
    const stalled = framer.takeStalled()
    const last = framer.isInsideMessage ? framer.giveUp() : undefined
    return this.#take(
      this.#tcp,
      [...items, stalled, last].filter((item) => item !== undefined),
    )
  }

  /** Lets everything run out. */
  settle(): void {
    for (let times = 0; times < 3; times += 1) this.clock.advance(64_000)
  }

  #take(transport: SipTransport, taken: readonly Received[]): Reaction {
    const before = this.#dropped()
    this.#sent.length = 0
    for (const item of taken) this.#messages.receive(item, transport.peerAt('192.0.2.9', 5060))
    const answers = this.#sent.map((text) => text.split('\r\n', 1)[0] ?? '')
    return { answers, dropped: this.#dropped() - before, taken }
  }

  #dropped(): number {
    const { dropped } = this.#counters.snapshot({
      transactions: 0,
      connections: 0,
      dialogs: 0,
      clients: 0,
      certificates: [],
    })
    return Object.values(dropped).reduce((sum, count) => sum + count, 0)
  }

  #transport(name: 'udp' | 'tcp'): SipTransport {
    const transport: SipTransport = {
      name,
      isReliable: name === 'tcp',
      host: '192.0.2.1',
      port: 5060,
      connections: 0,
      start: async () => {},
      close: async () => {},
      peerAt: (host, port): Peer => ({
        transport,
        host,
        port,
        connectionId: undefined,
        localHost: '192.0.2.1',
        localPort: 5060,
        names: [],
      }),
      alias: () => {},
      namesAt: () => [],
      isConnected: () => true,
      send: (text) => {
        this.#sent.push(text)
      },
      disconnect: () => {},
    }
    return transport
  }
}
