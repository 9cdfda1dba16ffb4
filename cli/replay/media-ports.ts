import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { SdpMedia } from '../../gateway/siprec/sdp-offer.ts'
import type { MediaPacket, ReplayStream } from './replay-session.ts'
import type { LocalPorts } from './rewrite-body.ts'

interface StreamPorts {
  /** By the address and port that were captured. */
  readonly bySource: Map<string, Socket>
  /** Where nothing says which. */
  readonly first: Socket
  readonly control: Socket
  target: { readonly address: string; readonly port: number; readonly rtcpPort: number } | undefined
}

/** The sockets from which a session's media is sent again: one for each source that was captured, one for RTCP. */
export class MediaPorts implements LocalPorts {
  readonly address: string
  readonly #streams = new Map<number, StreamPorts>()
  readonly #sockets: Socket[] = []
  #sent = 0
  #early = 0

  private constructor(address: string) {
    this.address = address
  }

  static async open(address: string, streams: readonly ReplayStream[]): Promise<MediaPorts> {
    const ports = new MediaPorts(address)
    for (const { index, packets } of streams) {
      const sources = new Set(
        packets.filter(({ isControl }) => !isControl).map(({ source }) => source),
      )
      const bySource = new Map<string, Socket>()
      for (const source of sources) bySource.set(source, await ports.#bind())
      const first = bySource.values().next().value ?? (await ports.#bind())
      const control = await ports.#bind()
      ports.#streams.set(index, { bySource, first, control, target: undefined })
    }
    return ports
  }

  /** Datagrams that were sent, and those that could not be, since the gateway had not said where to. */
  get counts(): { readonly sent: number; readonly early: number } {
    return { sent: this.#sent, early: this.#early }
  }

  portFor(index: number, { address, port }: { address: string; port: number }): number {
    const stream = this.#streams.get(index)
    const socket = stream?.bySource.get(`${address} ${port}`) ?? stream?.first
    return socket?.address().port ?? port
  }

  controlPortFor(index: number): number {
    return this.#streams.get(index)?.control.address().port ?? 9
  }

  /** Takes the gateway's m-lines: where each stream goes from now on. */
  aim(media: readonly SdpMedia[]): void {
    for (const { index, address, port, rtcpPort, hasRtcpMux } of media) {
      const stream = this.#streams.get(index)
      if (stream === undefined || address === null || port === 0) continue
      stream.target = { address, port, rtcpPort: hasRtcpMux ? port : (rtcpPort ?? port + 1) }
    }
  }

  send(index: number, { payload, source, isControl }: MediaPacket): void {
    const stream = this.#streams.get(index)
    const target = stream?.target
    if (stream === undefined || target === undefined) {
      this.#early++
      return
    }
    const socket = isControl ? stream.control : (stream.bySource.get(source) ?? stream.first)
    this.#sent++
    socket.send(payload, isControl ? target.rtcpPort : target.port, target.address)
  }

  close(): void {
    for (const socket of this.#sockets) socket.close()
  }

  async #bind(): Promise<Socket> {
    const socket = createSocket(isIPv6(this.address) ? 'udp6' : 'udp4')
    // What comes back (receiver reports, an unreachable port) is of no interest to a sender.
    socket.on('error', () => {})
    this.#sockets.push(socket)
    socket.bind(0, this.address)
    await once(socket, 'listening')
    return socket
  }
}
