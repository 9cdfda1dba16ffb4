/** Extensions (RFC 3261 §19.2) that a call through us or a recording session has, or that mean nothing to either. */
const COMMON = [
  ...['timer', '100rel', 'replaces', 'histinfo', 'privacy', 'norefersub', 'from-change'],
  ...['gruu', 'outbound', 'path', 'sec-agree', 'answermode', '199'],
]

export const TRUNK_OPTIONS: ReadonlySet<string> = new Set(COMMON)

/** `100rel` is met without a reliable response, since a session is answered with no provisional one but 100. */
export const RECORDING_OPTIONS: ReadonlySet<string> = new Set([
  ...COMMON,
  ...['siprec', 'record-aware', 'uui'],
])

/** More than any request names in earnest. */
const MOST = 16

/**
 * What a request insists on and we do not have (RFC 3261 §8.2.2.3): its Require header, all lines of it joined by
 * commas. Empty where there is nothing to object to.
 */
export function unsupportedOptions(
  require: string,
  supported: ReadonlySet<string>,
): readonly string[] {
  const tags = require.match(/[\w.!%*+~'-]+/g) ?? []
  return [...new Set(tags)].slice(0, MOST).filter((tag) => !supported.has(tag.toLowerCase()))
}
