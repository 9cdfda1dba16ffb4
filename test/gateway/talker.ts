import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'
import { rtp } from '../recorder/rtp.ts'
import { toneBytes } from '../recorder/tones.ts'

const KEYS = '0123456789*#ABCD'
const PACKET_MS = 20
const SAMPLES = 160

/** A party that sends a tone in real time as G.711 µ-law, and presses keys while it does (RFC 4733, payload type 101). */
export class Talker {
  readonly #socket: Socket
  readonly #hertz: number
  readonly #ssrc = Math.floor(Math.random() * 2 ** 32)
  #sequence = 0
  #tick = 0
  #port = 0
  #timer: NodeJS.Timeout | undefined

  private constructor(socket: Socket, hertz: number) {
    this.#socket = socket
    this.#hertz = hertz
  }

  static async open(t: Test, hertz: number): Promise<Talker> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const talker = new Talker(socket, hertz)
    t.teardown(() => {
      talker.stop()
      socket.close()
    })
    return talker
  }

  get port(): number {
    return this.#socket.address().port
  }

  talk(port: number): void {
    this.stop()
    this.#port = port
    const startedAtMs = performance.now() - this.#tick * PACKET_MS
    this.#timer = setInterval(() => {
      while (this.#tick * PACKET_MS <= performance.now() - startedAtMs) this.#send()
    }, PACKET_MS / 2)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Presses keys one after the other, and tells when the last of them was sent, epoch milliseconds. */
  async press(keys: string): Promise<number> {
    let sentAtMs = 0
    for (const key of keys) {
      sentAtMs = Date.now()
      const timestamp = this.#tick * SAMPLES
      for (const [index, duration] of [160, 320, 480, 480, 480].entries()) {
        const end = index >= 2 ? 0x8a : 0x0a
        const payload = Buffer.of(KEYS.indexOf(key), end, duration >> 8, duration & 0xff)
        this.#packet({ payloadType: 101, marker: index === 0, timestamp, payload })
      }
      await new Promise((resolve) => setTimeout(resolve, 3 * PACKET_MS))
    }
    return sentAtMs
  }

  #send(): void {
    const timestamp = this.#tick * SAMPLES
    this.#packet({ timestamp, payload: toneBytes(this.#hertz, timestamp, SAMPLES) })
    this.#tick++
  }

  #packet(fields: Parameters<typeof rtp>[0]): void {
    const packet = rtp({ sequenceNumber: this.#sequence++, ssrc: this.#ssrc, ...fields })
    this.#socket.send(packet, this.#port, '127.0.0.1')
  }
}
