import type { Config } from './config.ts'
import { DEFAULT_MASKING, type MaskingConfig } from './masking-config.ts'

/** The configured service lines, and last the one that takes what is no other line's: it keeps for ever. */
export function serviceLinesOf({
  serviceLines,
  catchAll,
}: Pick<Config, 'serviceLines' | 'catchAll'>) {
  const { name, timeZone } = catchAll
  return [
    ...serviceLines.map(({ masking: _, ...line }) => ({ ...line, isCatchAll: false })),
    { name, timeZone, numbers: [], period: null, isCatchAll: true },
  ]
}

/** The name of the service line that a number belongs to, else the catch-all's. */
export function serviceLineOf(
  e164: string | null,
  { serviceLines, catchAll }: Pick<Config, 'serviceLines' | 'catchAll'>,
): string {
  const line = serviceLines.find(({ numbers }) => e164 !== null && numbers.includes(e164))
  return line?.name ?? catchAll.name
}

/** What the recordings of a line leave out on request. */
export function maskingOf(
  { serviceLines, catchAll }: Pick<Config, 'serviceLines' | 'catchAll'>,
  serviceLine: string,
): MaskingConfig {
  const line = serviceLines.find(({ name }) => name === serviceLine) ?? catchAll
  return line.masking ?? DEFAULT_MASKING
}
