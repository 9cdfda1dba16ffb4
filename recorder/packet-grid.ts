import { SAMPLES_PER_MS } from './sample-clock.ts'

/** Packets begin at multiples of 10 ms from where their epoch does. */
const GRID = 10 * SAMPLES_PER_MS
const MARGIN = 2 * SAMPLES_PER_MS

/**
 * Where an epoch may begin so that no packet begins in the middle of a slot: 2 ms or more off every 10 ms from the
 * timeline's zero. The position nearest to the one that is wanted, and not before `floor`.
 *
 * What is sudden in telephone audio happens where packets begin: it is lost from there, or goes on after a pause.
 * At low complexity libopus describes a slot by one spectrum, and a sound that changes half-way is then heard as
 * neither. Two milliseconds nobody hears.
 */
export function offMiddle(position: number, { zero, floor }: { zero: number; floor: number }) {
  const phase = phaseOf(position, zero)
  if (phase < MARGIN) return position + MARGIN - phase
  const excess = phase - (GRID - MARGIN)
  if (excess <= 0) return position
  return position - excess >= floor ? position - excess : position + GRID + MARGIN - phase
}

/** Whether a packet that begins here, or one after it, begins near the middle of a slot. */
export function isNearMiddle(position: number, zero: number): boolean {
  const phase = phaseOf(position, zero)
  return phase < MARGIN || phase > GRID - MARGIN
}

function phaseOf(position: number, zero: number): number {
  return (((position - zero) % GRID) + GRID) % GRID
}
