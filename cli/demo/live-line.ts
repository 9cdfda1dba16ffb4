/** What one look at a live call shows. */
export interface LiveSight {
  readonly durationMs: number
  readonly bytes: number
  /** Caller and agent, dBFS. */
  readonly levelsDb: readonly [number, number]
}

const QUIETEST_DB = -60
const METER_CELLS = 16

/** A live call in one line: length, both parties' meters, bytes in the file. */
export function formatSight({ durationMs, bytes, levelsDb }: LiveSight): string {
  const [caller, agent] = levelsDb
  const size = `${(bytes / 1024).toFixed(1)} KiB`.padStart(9)
  return `  ${formatLength(durationMs)}  caller ${meter(caller)}  agent ${meter(agent)} ${size}`
}

/** `0:07`, `12:34`. */
export function formatLength(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function meter(levelDb: number): string {
  const share = Math.min(1, Math.max(0, 1 - levelDb / QUIETEST_DB))
  const filled = Math.round(share * METER_CELLS)
  return '█'.repeat(filled) + '·'.repeat(METER_CELLS - filled)
}
