/** One thing that takes bytes from outside. */
export interface FuzzTarget {
  readonly name: string
  /** Folders of the build whose coverage counts, as `gateway/sip-server`. */
  readonly covers: readonly string[]
  /** Inputs to begin with, beside the corpus. */
  readonly seeds: () => readonly Uint8Array[]
  /** Pieces that mutations put in. */
  readonly words?: readonly string[]
  /** Longest input. */
  readonly maxBytes: number
  /** Makes what the runs share. What it gives takes one input; throwing, rejecting or hanging is a finding. */
  readonly start: () => FuzzRun | Promise<FuzzRun>
}

export interface FuzzRun {
  take(input: Uint8Array): void | Promise<void>
  close?(): void | Promise<void>
}

/** What came of a target that was not as it has to be. */
export class Unsound extends Error {
  constructor(what: string) {
    super(what)
    this.name = 'Unsound'
  }
}

/** Text of one character per byte. */
export function latin1(input: Uint8Array): string {
  return Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1')
}

/** Text as most of the project has it; bytes that are no UTF-8 become replacement characters. */
export function utf8(input: Uint8Array): string {
  return Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('utf8')
}

/** Cuts an input into pieces that each begin with their length in two bytes. */
export function pieces(input: Uint8Array, most = 400): readonly Uint8Array[] {
  const cut: Uint8Array[] = []
  for (let at = 0; at + 2 <= input.length && cut.length < most; ) {
    const length = ((input[at] ?? 0) << 8) | (input[at + 1] ?? 0)
    cut.push(Uint8Array.from(input.subarray(at + 2, at + 2 + length)))
    at += 2 + length
  }
  return cut
}

/** What `pieces` cuts. */
export function joined(all: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(all.flatMap((one) => [Buffer.from([one.length >> 8, one.length]), one]))
}
