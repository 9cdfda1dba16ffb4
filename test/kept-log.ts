import pino from 'pino'
import type { Log } from '../base/log.ts'

/** A log whose lines are kept, as what they say. */
export function keptLog(): { readonly log: Log; readonly lines: () => Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines: () => lines }
}
