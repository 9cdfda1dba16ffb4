import { WebSocket } from 'ws'

const FRAME_MS = 20
const RATE = 8000

/** What a fork does beside what it should. */
export type ForkFault = 'none' | 'refused' | '403' | 'unanswered' | 'unresolvable'

/** One mod_audio_fork as observed: metadata first, then stereo frames of 20 ms; it never connects again. */
export class StandInFork {
  readonly #socket: WebSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #frames = 0
  #isConnected = false

  constructor(options: {
    readonly url: string
    readonly metadata: string
    readonly fault: ForkFault
    readonly onEvent: (name: 'connect' | 'connect_failed' | 'disconnect') => void
  }) {
    const { url, metadata, fault, onEvent } = options
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
      this.#timer = setInterval(() => this.#send(socket), FRAME_MS)
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

  /** FreeSWITCH died. */
  terminate(): void {
    clearInterval(this.#timer)
    this.#socket?.terminate()
  }

  #send(socket: WebSocket): void {
    const samples = (RATE * FRAME_MS) / 1000
    const frame = Buffer.alloc(samples * 4)
    for (let index = 0; index < samples; index++) {
      const at = (this.#frames * samples + index) / RATE
      frame.writeInt16LE(Math.round(8000 * Math.sin(2 * Math.PI * 440 * at)), index * 4)
      frame.writeInt16LE(Math.round(8000 * Math.sin(2 * Math.PI * 1000 * at)), index * 4 + 2)
    }
    this.#frames++
    if (socket.readyState === WebSocket.OPEN) socket.send(frame)
  }
}
