import { Concealment } from './concealment.ts'
import { KeptPackets } from './kept-packets.ts'
import { LostSpans } from './lost-spans.ts'
import { SLOT_SAMPLES } from './sample-clock.ts'
import { type Density, lowerDensity, raiseDensity } from './sample-density.ts'
import { SampleRing } from './sample-ring.ts'
import { EMPTY, type SampleSource } from './sample-source.ts'

/** A stretch of a leg for which packets were sent and did not come in time, by position. */
export type OnLost = (position: number, length: number) => void

/**
 * Twelve seconds: sockets keep ten of what an engine that is held up has not read. A leg takes memory for so much only
 * while it needs it.
 */
const USUAL_RING_SAMPLES = 600 * SLOT_SAMPLES

/**
 * What a leg holds between placing and taking: decoded audio by position, and what is known to be missing. Gives it
 * back slot by slot, with silence where nothing was sent and concealment where something was lost.
 */
export class LegBuffer {
  readonly #onLost: OnLost
  readonly #ringSamples: number
  /** The slot before the one that was taken last, and that one. */
  #audio = new Int16Array(2 * SLOT_SAMPLES)
  #slot = this.#audio.subarray(SLOT_SAMPLES)
  #density: Density = 1
  readonly #concealment = new Concealment()
  readonly #lost = new LostSpans()
  /** Made for the first packet: many a leg never gets one. */
  #ring: SampleRing | undefined
  /** Made for the first packet that can be stored as it is. */
  #kept: KeptPackets | undefined
  #packet: Uint8Array | undefined
  #base: number
  #isSilent = true
  #concealed = 0
  /** Up to here what came too late was told. */
  #missedTo = Number.NEGATIVE_INFINITY

  /** Holds up to `ringSamples` ahead of its base. */
  constructor(base: number, onLost: OnLost, ringSamples = USUAL_RING_SAMPLES) {
    this.#base = base
    this.#onLost = onLost
    this.#ringSamples = ringSamples
  }

  /** The slot that was taken last; its samples are overwritten by the next. */
  get slot(): Int16Array {
    return this.#slot
  }

  /** The slot before it. */
  get slotBefore(): Int16Array {
    return this.#audio.subarray(0, this.#slot.length)
  }

  /** The Opus packet that the slot can be stored as; undefined where it has to be encoded. */
  get packet(): Uint8Array | undefined {
    return this.#packet
  }

  /** Samples at 8 kHz so far that stand for packets which did not come. */
  get concealed(): number {
    return this.#concealed
  }

  /** Samples of the slot for each one at 8 kHz. */
  get density(): Density {
    return this.#density
  }

  /** Position of the next slot to be taken. */
  get base(): number {
    return this.#ring?.base ?? this.#base
  }

  /** One past the highest position that holds audio. */
  get end(): number {
    return this.#ring?.end ?? this.#base
  }

  /** One past the highest position that can hold audio. */
  get limit(): number {
    return this.base + this.#ringSamples
  }

  /** Writes a packet's samples; where `length` is not theirs, stretched to that many. */
  write(position: number, source: SampleSource, length: number): void {
    const ring = this.#ringNow()
    if (length === source.length) ring.write(position, source)
    else ring.writeStretched(position, source, length)
  }

  /** What was written there can be stored as an Opus packet of 20 ms. */
  keep(position: number, packet: Uint8Array): void {
    this.#kept ??= new KeptPackets()
    this.#kept.add(position, packet)
  }

  /** Moves what stands in `from`…`to` earlier by `by` samples; what falls before `floor` or the base is lost. */
  moveEarlier(from: number, to: number, { by, floor }: { by: number; floor: number }): void {
    this.#ringNow().moveEarlier(from, to, { by, floor })
    this.#lost.moveEarlier(from, by)
    this.#kept?.moveEarlier(from, by)
  }

  /** Packets are missing there. What was taken already is lost for good. */
  lose(from: number, to: number): void {
    this.miss(from, to)
    if (to > Math.max(from, this.base)) this.#lost.add(from, to)
  }

  /** Packets came for this stretch, and there is no room to hold them. */
  giveUp(from: number, to: number): void {
    this.#onLost(from, to - from)
  }

  /** What of this was taken as silence, and only now turns out to have been sent, is lost; it is told once. */
  miss(from: number, to: number): void {
    const start = Math.max(from, this.#missedTo)
    const end = Math.min(to, this.base)
    if (end <= start) return
    this.#missedTo = end
    this.#onLost(start, end - start)
  }

  /** Moves on by a slot, leaves its audio in `slot`, and returns its energy (sum of squares). */
  take(): number {
    const ring = this.#ring
    this.#packet = this.#kept?.takeFor(this.base)
    if (ring === undefined || ring.end <= ring.base) {
      if (!this.#isSilent) this.#audio.fill(0)
      this.#isSilent = true
      this.discardBefore(this.base + SLOT_SAMPLES)
      return 0
    }
    this.#isSilent = false
    ring.settleSize()
    ring.settleDensity()
    if (ring.density !== this.#density) this.#changeDensity(ring.density)
    const position = ring.base
    this.#audio.copyWithin(0, this.#slot.length)
    const energy = ring.take(this.#slot)
    return energy < 0 ? this.#fillEmpty(position) : energy
  }

  /** Energy of the slot that starts so many samples after the next one to be taken. */
  energyAhead(samples: number): number {
    return this.#ring === undefined ? 0 : this.#ring.energy(this.#ring.base + samples)
  }

  /** Reads samples at 8 kHz that begin so many after the next slot to be taken; what is missing is 0. */
  peek(samplesAhead: number, window: Int16Array): void {
    if (this.#ring === undefined) window.fill(0)
    else this.#ring.peek(this.#ring.base + samplesAhead, window)
  }

  /** Forgets what is before a position. */
  discardBefore(position: number): void {
    this.#base = Math.max(this.#base, position)
    this.#ring?.discardBefore(position)
  }

  /** The slot that was taken last goes on at another density, so that what follows can be joined to it. */
  #changeDensity(density: Density): void {
    const before = this.#audio
    const after = new Int16Array(2 * SLOT_SAMPLES * density)
    if (density > this.#density) raiseDensity(before, density / this.#density, after)
    else lowerDensity(before, this.#density / density, after)
    this.#audio = after
    this.#slot = after.subarray(SLOT_SAMPLES * density)
    this.#density = density
  }

  #ringNow(): SampleRing {
    this.#ring ??= new SampleRing(this.#base, this.#ringSamples)
    return this.#ring
  }

  /** Fills what no packet covered, and returns the slot's energy. */
  #fillEmpty(position: number): number {
    const audio = this.#audio
    const density = this.#density
    const start = this.#slot.length
    for (let index = start; index < audio.length; index++) {
      if (audio[index] !== EMPTY) continue
      const at = position + (index - start) / density
      const { isLost, until } = this.#lost.at(at)
      const last = Math.min(audio.length, index + (until - at) * density)
      let to = index + 1
      while (to < last && audio[to] === EMPTY) to++
      if (isLost) {
        this.#concealment.fill(audio, { from: index, to, position: at, density })
        const length = (to - index) / density
        this.#concealed += length
        this.#onLost(at, length)
      } else {
        audio.fill(0, index, to)
      }
      index = to - 1
    }
    this.#lost.forgetBefore(position + SLOT_SAMPLES)
    let energy = 0
    for (const sample of this.#slot) energy += sample * sample
    return energy / density
  }
}
