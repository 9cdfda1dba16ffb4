import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { MediaAddress } from '../../recorder/recording-plan.ts'

const HEADER_BYTES = 12
const SAMPLES = 160

/**
 * Sends one party's PCMU audio, a packet of 20 ms at each `sendNext` (RFC 3550 §5.1, RFC 3551 §4.5.14).
 * The audio starts again at its end. Owns its socket.
 */
export class RtpSender {
  readonly #socket: Socket
  readonly #audio: Uint8Array
  readonly #ssrc = randomInt(0x1_0000_0000)
  #sequenceNumber = randomInt(0x1_0000)
  #timestamp = randomInt(0x1_0000_0000)
  #position = 0
  #peer: MediaAddress | undefined
  #sent = 0

  private constructor(socket: Socket, audio: Uint8Array) {
    this.#socket = socket
    this.#audio = audio
  }

  /** `audio` is µ-law at 8 kHz, at least one packet long. */
  static async open(localAddress: string, audio: Uint8Array): Promise<RtpSender> {
    const socket = createSocket('udp4')
    socket.bind(0, localAddress)
    await once(socket, 'listening')
    // What comes back (receiver reports, an unreachable port) is of no interest to a sender.
    socket.on('error', () => {})
    return new RtpSender(socket, audio)
  }

  get port(): number {
    return this.#socket.address().port
  }

  get sent(): number {
    return this.#sent
  }

  /** True when the last packet ended the audio and the next begins it again. */
  get isAtStart(): boolean {
    return this.#position === 0
  }

  /** Place of the next packet in the audio, samples. */
  get position(): number {
    return this.#position
  }

  /** Tells of every datagram that comes to the sender's own port. */
  onDatagram(listener: (datagram: Uint8Array) => void): void {
    this.#socket.on('message', listener)
  }

  /** Undefined sends nothing until the next aim. */
  aim(peer: MediaAddress | undefined): void {
    this.#peer = peer
  }

  /** False where it has nobody to send to. */
  sendNext(): boolean {
    if (!this.#peer) return false
    const packet = Buffer.alloc(HEADER_BYTES + SAMPLES, 0xff)
    packet[0] = 0x80
    packet[1] = this.#sent === 0 ? 0x80 : 0
    packet.writeUInt16BE(this.#sequenceNumber, 2)
    packet.writeUInt32BE(this.#timestamp, 4)
    packet.writeUInt32BE(this.#ssrc, 8)
    packet.set(this.#audio.subarray(this.#position, this.#position + SAMPLES), HEADER_BYTES)
    this.#position += SAMPLES
    if (this.#position >= this.#audio.length) this.#position = 0
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff
    this.#timestamp = (this.#timestamp + SAMPLES) >>> 0
    this.#sent++
    this.#socket.send(packet, this.#peer.port, this.#peer.address)
    return true
  }

  close(): void {
    this.#socket.close()
  }
}
