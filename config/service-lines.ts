import type { Config } from './config.ts'

/** The configured service lines, and last the one that takes what is no other line's: it keeps for ever. */
export function serviceLinesOf({
  serviceLines,
  catchAll,
}: Pick<Config, 'serviceLines' | 'catchAll'>) {
  return [
    ...serviceLines.map((line) => ({ ...line, isCatchAll: false })),
    { ...catchAll, numbers: [], period: null, isCatchAll: true },
  ]
}
