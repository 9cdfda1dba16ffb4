import { TallenneError } from '../../base/tallenne-error.ts'
import { isId } from '../../base/uuid.ts'
import type { Config } from '../../config/config.ts'
import type { StoredFileFilter } from '../../storage/stored-files.ts'
import { readTime } from '../read-time.ts'
import { type Given, textOption } from '../verb.ts'

/** Options that narrow down whose files a verb works on. */
export const FILE_FILTER_OPTIONS = {
  'service-line': { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
} as const

export const FILE_FILTER_HELP = `  ID …                     these recordings alone
  --service-line NAME      those of a service line
  --from TIME              that started then or later: 2026-01-31T08:00:00Z, or the date alone
  --to TIME                that started before`

/** Throws `bad_id` and `option_value`. */
export function fileFilterOf(
  given: Given,
  { catchAll }: Pick<Config, 'catchAll'>,
): StoredFileFilter {
  const wrong = given.words.find((word) => !isId(word))
  if (wrong !== undefined) {
    throw new TallenneError(
      'bad_id',
      `${wrong} is no recording's id: tallenne recordings lists them.`,
    )
  }
  const [serviceLine, from, to] = ['service-line', 'from', 'to'].map((name) =>
    textOption(given, name),
  )
  return {
    ...(given.words.length > 0 && { ids: given.words }),
    ...(serviceLine !== undefined && { serviceLine }),
    ...(from !== undefined && { fromMs: Date.parse(readTime(from, '--from', catchAll)) }),
    ...(to !== undefined && { toMs: Date.parse(readTime(to, '--to', catchAll)) }),
  }
}
