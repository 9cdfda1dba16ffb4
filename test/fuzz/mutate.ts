import type { Random } from '../random.ts'

const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x3b, 0x3c, 0x3e]
const NUMBERS = ['0', '-1', '65535', '65536', '4294967295', '4294967296', '1e999', '99999999999999']
const LONGEST_STRETCH = 64
const MOST_STEPS = 5

/** What mutations choose from. */
export interface Material {
  readonly random: Random
  /** Others of the corpus, of which stretches are put in. */
  readonly others: readonly Uint8Array[]
  readonly words: readonly Uint8Array[]
  readonly maxBytes: number
}

/** An input like another one, with one to five changes. */
export function mutate(input: Uint8Array, material: Material): Uint8Array {
  const { random, maxBytes } = material
  let changed = Uint8Array.from(input)
  const steps = 1 + random.next(MOST_STEPS)
  for (let step = 0; step < steps; step += 1) changed = change(changed, material)
  return changed.subarray(0, maxBytes)
}

function change(input: Uint8Array<ArrayBuffer>, material: Material): Uint8Array<ArrayBuffer> {
  const { random, others, words } = material
  const at = random.next(input.length + 1)
  const length = 1 + random.next(Math.min(LONGEST_STRETCH, input.length - at))
  switch (random.next(10)) {
    case 0:
      return withByte(input, at, (byte) => byte ^ (1 << random.next(8)))
    case 1:
      return withByte(input, at, () => random.pick(EDGES) ?? 0)
    case 2:
      return withByte(input, at, (byte) => byte + random.next(33) - 16)
    case 3:
      return withByte(input, at, () => random.next(256))
    case 4:
      return splice(input, { at, length, put: new Uint8Array(0) })
    case 5:
      return splice(input, { at, length: 0, put: input.subarray(at, at + length) })
    case 6:
      return splice(input, {
        at,
        length: random.next(2) * length,
        put: words[random.next(words.length)] ?? new Uint8Array(0),
      })
    case 7: {
      const other = random.pick(others) ?? input
      const from = random.next(other.length)
      const put = other.subarray(from, from + 1 + random.next(LONGEST_STRETCH * 4))
      return splice(input, { at, length: random.next(2) * length, put })
    }
    case 8:
      return splice(input, {
        at,
        length: random.next(4),
        put: Buffer.from(random.pick(NUMBERS) ?? ''),
      })
    default:
      return random.next(4) === 0
        ? splice(input, { at, length: input.length, put: new Uint8Array(0) })
        : repeat(input, { at, length, times: 1 + random.next(24) })
  }
}

function withByte(
  input: Uint8Array<ArrayBuffer>,
  at: number,
  to: (byte: number) => number,
): Uint8Array<ArrayBuffer> {
  if (at < input.length) input[at] = to(input[at] ?? 0)
  return input
}

function splice(
  input: Uint8Array,
  { at, length, put }: { readonly at: number; readonly length: number; readonly put: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const tail = input.subarray(at + length)
  const spliced = new Uint8Array(at + put.length + tail.length)
  spliced.set(input.subarray(0, at))
  spliced.set(put, at)
  spliced.set(tail, at + put.length)
  return spliced
}

function repeat(
  input: Uint8Array,
  { at, length, times }: { readonly at: number; readonly length: number; readonly times: number },
): Uint8Array<ArrayBuffer> {
  const stretch = input.subarray(at, at + length)
  const put = new Uint8Array(stretch.length * times)
  for (let time = 0; time < times; time += 1) put.set(stretch, time * stretch.length)
  return splice(input, { at, length: 0, put })
}
