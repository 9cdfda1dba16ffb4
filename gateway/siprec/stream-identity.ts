import type { SdpMedia } from './sdp-offer.ts'

/** A stream as an earlier offer had it. */
export interface KnownStream {
  readonly index: number
  readonly streamId: string
  readonly label: string | null
}

/**
 * Names the stream of each m-line: its label, else `m` and its index, and what it was called before where it is
 * the same stream. Slots move and labels may come late, so neither alone tells which stream it is.
 */
export function identifyStreams(
  media: readonly SdpMedia[],
  known: readonly KnownStream[],
): readonly string[] {
  const taken = new Set<string>()
  const named = media.map((line) => {
    const byLabel = known.find((stream) => line.label !== null && stream.label === line.label)
    return claim(byLabel?.streamId, taken)
  })
  for (const [at, line] of media.entries()) {
    if (named[at] !== undefined) continue
    const bySlot = known.find((stream) => stream.index === line.index)
    // A slot with another label than before is another stream (RFC 7866 §7.1.1.1).
    const isSame = bySlot?.label === null || line.label === null
    named[at] = claim(isSame ? bySlot?.streamId : undefined, taken)
  }
  const reserved = new Set([...taken, ...known.map((stream) => stream.streamId)])
  return media.map((line, at) => named[at] ?? newName(line, reserved))
}

function claim(streamId: string | undefined, taken: Set<string>): string | undefined {
  if (streamId === undefined || taken.has(streamId)) return undefined
  taken.add(streamId)
  return streamId
}

function newName(line: SdpMedia, reserved: Set<string>): string {
  const wanted = line.label ?? `m${line.index}`
  let name = wanted
  for (let count = line.index; reserved.has(name); count++) name = `${wanted}#${count}`
  reserved.add(name)
  return name
}
