import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'
import { rtp } from '../../recorder/rtp.ts'
import { toneBytes, toneShare } from '../../recorder/tones.ts'
import { WAIT_MS } from '../../until.ts'
import { Waiters } from '../../waiters.ts'

/** How a telephone protects what it sends and opens what it hears; undefined where it cannot. */
export interface PartyProtection {
  readonly seal: (packet: Buffer) => Uint8Array | undefined
  readonly open: (datagram: Buffer) => Uint8Array | undefined
}

/** A telephone's media: sends a tone in packets of 20 ms, and keeps what it hears. */
export class MediaParty {
  readonly heard: Buffer[] = []
  readonly #socket: Socket
  /** Packets that could not be opened. */
  closed = 0
  /** From now on; none at first. */
  protection: PartyProtection = { seal: (packet) => packet, open: (datagram) => datagram }
  readonly #ssrc = Math.floor(Math.random() * 2 ** 32)
  #sequence = 0
  #timer: NodeJS.Timeout | undefined
  readonly #waiters = new Waiters()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (datagram) => {
      const opened = this.protection.open(datagram)
      if (opened === undefined) this.closed++
      else this.heard.push(Buffer.from(opened))
      this.#waiters.wake()
    })
  }

  static async open(t: Test): Promise<MediaParty> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const party = new MediaParty(socket)
    t.teardown(() => {
      party.stop()
      socket.close()
    })
    return party
  }

  get port(): number {
    return this.#socket.address().port
  }

  get sent(): number {
    return this.#sequence
  }

  /** Talks to a port from now on; a call that moves is talked to elsewhere. */
  talk(port: number, hertz: number): void {
    this.stop()
    const startedAt = performance.now()
    let due = 0
    this.#timer = setInterval(() => {
      for (; due * 20 <= performance.now() - startedAt; due++) this.#send(port, hertz)
    }, 20)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Waits until so many packets were heard since `from`. */
  async hears(count: number, from = 0): Promise<readonly Buffer[]> {
    const deadline = Date.now() + WAIT_MS
    while (this.heard.length - from < count) {
      if (Date.now() > deadline) {
        throw new Error(`heard ${this.heard.length - from} of ${count} packets`)
      }
      await this.#waiters.next(100)
    }
    return this.heard.slice(from)
  }

  /** How many packets since `from` are of a tone. */
  heardTone(hertz: number, from = 0): number {
    const isTone = (packet: Buffer) => toneShare(decodeUlaw(packet.subarray(12)), hertz) > 0.8
    return this.heard.slice(from).filter(isTone).length
  }

  /** Presses a key: one packet of a telephone-event (RFC 4733). */
  press(port: number, key: number): void {
    const payload = Uint8Array.of(key, 0x8a, 0x03, 0x20)
    const at = this.#sequence++
    const fields = { payloadType: 101, marker: true, ssrc: this.#ssrc, payload }
    this.#sendPacket(rtp({ ...fields, sequenceNumber: at, timestamp: at * 160 }), port)
  }

  #send(port: number, hertz: number): void {
    const at = this.#sequence++
    const payload = toneBytes(hertz, at * 160, 160)
    this.#sendPacket(
      rtp({ sequenceNumber: at, timestamp: at * 160, ssrc: this.#ssrc, payload }),
      port,
    )
  }

  #sendPacket(packet: Buffer, port: number): void {
    const datagram = this.protection.seal(packet)
    if (datagram !== undefined) this.#socket.send(datagram, port, '127.0.0.1')
  }
}

/** ITU-T G.711 µ-law. */
function decodeUlaw(payload: Uint8Array): Int16Array {
  return Int16Array.from(payload, (byte) => {
    const inverted = ~byte & 0xff
    const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 7)) - 0x84
    return inverted & 0x80 ? -magnitude : magnitude
  })
}
