import pino from 'pino'

/** Structured log of one process; `child` adds fields to every line. Fields come first, as in pino. */
export type Log = pino.Logger

/**
 * Writes JSON lines to standard output, with ISO times and level names.
 *
 * Callers mask caller numbers before they log them (`maskNumber`); nothing here can know which field is one.
 */
export function createLog(process: string, level = 'info'): Log {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  })
}

/** A log that says nothing, for tests. */
export function createSilentLog(): Log {
  return pino({ level: 'silent' })
}
