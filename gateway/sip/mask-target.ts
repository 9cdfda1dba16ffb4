import { maskIfLong, maskNumbersIn } from '../../base/mask-number.ts'

/** A target's URI as logs may show it: its user part may be the number that was dialled, or one of a redirection. */
export function maskTarget(uri: string): string {
  return uri.replace(/^(sips?:)([^@]*)@/i, (_, scheme: string, user: string) => {
    return `${scheme}${maskNumbersIn(maskIfLong(user))}@`
  })
}
