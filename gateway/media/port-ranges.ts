import { TallenneError } from '../../base/tallenne-error.ts'

/** One engine's own RTP ports: from an even port to the odd one that is its last RTCP port. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

/**
 * Splits the configured ports into one range for each engine, as even as pairs of RTP and RTCP ports allow
 * (RTP on even ports, RTCP one above: RFC 3550 §11). What is left over goes to the first engines.
 *
 * Throws a `TallenneError` `too_few_ports` where an engine would have none.
 */
export function splitPorts(from: number, to: number, engines: number): readonly PortRange[] {
  const first = from % 2 === 0 ? from : from + 1
  const pairs = Math.floor((to - first + 1) / 2)
  if (pairs < engines) {
    throw new TallenneError(
      'too_few_ports',
      `media.ports ${from}–${to} hold ${Math.max(0, pairs)} pairs of ports for ${engines} engines: widen the range`,
    )
  }
  const ranges: PortRange[] = []
  let next = first
  for (let index = 0; index < engines; index++) {
    const share = Math.floor(pairs / engines) + (index < pairs % engines ? 1 : 0)
    ranges.push({ from: next, to: next + share * 2 - 1 })
    next += share * 2
  }
  return ranges
}
