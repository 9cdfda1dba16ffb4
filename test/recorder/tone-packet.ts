import type { Density } from '../../recorder/sample-density.ts'
import type { SampleSource } from '../../recorder/sample-source.ts'
import { tone } from './tones.ts'

/** 20 ms of a tone at a density, the nth of them; its amplitude is 8000. */
export function tonePacket(hertz: number, index: number, density: Density): SampleSource {
  const count = 160 * density
  // At a rate so many times as high a tone is as many times as low.
  const samples = tone(hertz / density, index * count, count)
  return {
    datagram: new Uint8Array(samples.buffer),
    offset: 0,
    length: 160,
    table: undefined,
    stride: 2,
    density,
  }
}
