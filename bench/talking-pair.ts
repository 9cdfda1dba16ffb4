import { RtpSender } from '../cli/caller/rtp-sender.ts'
import { DelayMeter, type DelayTally } from './delay-meter.ts'
import type { PacketIndex } from './packet-index.ts'
import type { PartyAudio } from './speech.ts'

const SAMPLES = 160
const LOOPBACK = '127.0.0.1'

/** The two parties of one call, the caller first: each sends its audio and hears the other's. Owns its sockets. */
export class TalkingPair {
  readonly caller: RtpSender
  readonly platform: RtpSender
  /** What the caller sends and the platform hears, and the other way. */
  #meters: readonly [DelayMeter, DelayMeter] | undefined

  private constructor(caller: RtpSender, platform: RtpSender) {
    this.caller = caller
    this.platform = platform
    platform.onDatagram((datagram) => this.#meters?.[0].received(datagram, performance.now()))
    caller.onDatagram((datagram) => this.#meters?.[1].received(datagram, performance.now()))
  }

  static async open(audio: PartyAudio): Promise<TalkingPair> {
    const caller = await RtpSender.open(LOOPBACK, audio[0])
    return new TalkingPair(caller, await RtpSender.open(LOOPBACK, audio[1]))
  }

  aimAtEachOther(): void {
    this.caller.aim({ address: LOOPBACK, port: this.platform.port })
    this.platform.aim({ address: LOOPBACK, port: this.caller.port })
  }

  fallSilent(): void {
    this.caller.aim(undefined)
    this.platform.aim(undefined)
  }

  /** Counts what is sent from now on there. */
  measure(tally: DelayTally, [callers, platforms]: readonly [PacketIndex, PacketIndex]): void {
    this.#meters = [new DelayMeter(callers, tally), new DelayMeter(platforms, tally)]
  }

  sendNext(): void {
    sendOne(this.caller, this.#meters?.[0])
    sendOne(this.platform, this.#meters?.[1])
  }

  close(): void {
    this.caller.close()
    this.platform.close()
  }
}

function sendOne(sender: RtpSender, meter: DelayMeter | undefined): void {
  const place = sender.position / SAMPLES
  const atMs = performance.now()
  if (sender.sendNext()) meter?.sent(place, atMs)
}
