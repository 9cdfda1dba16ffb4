import type { Config } from '../../config/config.ts'

/** The name of the service line that a number belongs to, else the catch-all's. */
export function serviceLineOf(
  e164: string | null,
  config: Pick<Config, 'serviceLines' | 'catchAll'>,
): string {
  const line = config.serviceLines.find(
    (candidate) => e164 !== null && candidate.numbers.includes(e164),
  )
  return line?.name ?? config.catchAll.name
}
