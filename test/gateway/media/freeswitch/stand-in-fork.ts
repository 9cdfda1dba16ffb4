import { WebSocket } from 'ws'

const FRAME_MS = 20
const RATE = 8000

/** What a fork does beside what it should. */
export type ForkFault = 'none' | 'refused' | '403' | 'unanswered' | 'unresolvable'

/** One mod_audio_fork as observed: metadata first, then frames of 20 ms; it never connects again. */
export class StandInFork {
  readonly #socket: WebSocket | undefined
  readonly #hertz: readonly number[]
  #timer: NodeJS.Timeout | undefined
  #frames = 0
  #isConnected = false

  constructor(options: {
    readonly url: string
    readonly metadata: string
    /** A tone for each channel. */
    readonly hertz: readonly number[]
    readonly fault: ForkFault
    readonly onEvent: (name: 'connect' | 'connect_failed' | 'disconnect') => void
  }) {
    const { url, metadata, fault, onEvent } = options
    this.#hertz = options.hertz
    // Nothing is ever said of a host without an address, and long nothing of a server that does not answer.
    if (fault === 'unresolvable' || fault === 'unanswered') return
    const [host, path] = fault === 'refused' ? ['ws://127.0.0.1:9', ''] : [url, '']
    const socket = new WebSocket(fault === '403' ? `${host}x` : `${host}${path}`, [
      'audio.drachtio.org',
    ])
    this.#socket = socket
    socket.on('error', () => {
      if (!this.#isConnected) onEvent('connect_failed')
    })
    socket.on('open', () => {
      this.#isConnected = true
      if (metadata !== '') socket.send(metadata)
      setTimeout(() => onEvent('connect'), 10)
      const startedAt = performance.now()
      this.#timer = setInterval(() => {
        while (this.#frames * FRAME_MS <= performance.now() - startedAt) this.#send(socket)
      }, FRAME_MS)
    })
    socket.on('close', () => {
      clearInterval(this.#timer)
      if (this.#isConnected) onEvent('disconnect')
    })
  }

  /** A stop before the connection is up stops nothing: it comes up and stays. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#isConnected) this.#socket?.close(1000)
  }

  /** The connection stays, and nothing is sent any more. */
  mute(): void {
    clearInterval(this.#timer)
  }

  /** FreeSWITCH died. */
  terminate(): void {
    clearInterval(this.#timer)
    this.#socket?.terminate()
  }

  #send(socket: WebSocket): void {
    const samples = (RATE * FRAME_MS) / 1000
    const channels = this.#hertz.length
    const frame = Buffer.alloc(samples * channels * 2)
    for (let index = 0; index < samples; index++) {
      const at = (this.#frames * samples + index) / RATE
      for (const [channel, hertz] of this.#hertz.entries()) {
        const sample = Math.round(8000 * Math.sin(2 * Math.PI * hertz * at))
        frame.writeInt16LE(sample, (index * channels + channel) * 2)
      }
    }
    this.#frames++
    if (socket.readyState === WebSocket.OPEN) socket.send(frame)
  }
}
