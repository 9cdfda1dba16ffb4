import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { until } from '../until.ts'

const SAMPLES = 160
const PACKET_MS = 20

/** Sends a tone as G.711 µ-law in 20 ms packets, in real time, to where an answer says. */
export class RtpSender {
  readonly #socket: Socket
  readonly #hertz: number
  readonly #protect: (packet: Buffer) => Buffer
  readonly #ssrc = Math.floor(Math.random() * 2 ** 32)
  #sequence = 0
  #timer: NodeJS.Timeout | undefined
  #sent = 0
  #closed: Promise<void> | undefined

  private constructor(socket: Socket, hertz: number, protect: (packet: Buffer) => Buffer) {
    this.#socket = socket
    this.#hertz = hertz
    this.#protect = protect
  }

  static async open(
    hertz: number,
    protect: (packet: Buffer) => Buffer = (packet) => packet,
  ): Promise<RtpSender> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new RtpSender(socket, hertz, protect)
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Sends to a port from now on, and no more to another. */
  start(port: number): void {
    this.stop()
    const startedAt = performance.now()
    let due = 0
    this.#timer = setInterval(() => {
      for (; due * PACKET_MS <= performance.now() - startedAt; due++) this.#send(port)
    }, PACKET_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Waits until so many packets more are sent. */
  async says(packets: number): Promise<void> {
    const enough = this.#sent + packets
    await until(() => this.#sent >= enough)
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.stop()
    this.#closed ??= new Promise((resolve) => this.#socket.close(resolve))
    return this.#closed
  }

  #send(port: number): void {
    const packet = Buffer.alloc(12 + SAMPLES)
    packet[0] = 0x80
    packet.writeUInt16BE(this.#sequence & 0xffff, 2)
    packet.writeUInt32BE((this.#sequence * SAMPLES) >>> 0, 4)
    packet.writeUInt32BE(this.#ssrc, 8)
    for (let at = 0; at < SAMPLES; at++) {
      const time = (this.#sequence * SAMPLES + at) / 8000
      packet[12 + at] = muLaw(8000 * Math.sin(2 * Math.PI * this.#hertz * time))
    }
    this.#sequence++
    this.#sent++
    this.#socket.send(this.#protect(packet), port, '127.0.0.1')
  }
}

/** ITU-T G.711 µ-law of a 16-bit sample. */
function muLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(32_635, Math.abs(Math.round(sample))) + 132
  const exponent = Math.floor(Math.log2(magnitude)) - 7
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}
