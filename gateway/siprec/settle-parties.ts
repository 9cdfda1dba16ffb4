import type { NumberFact } from '../../storage/model.ts'
import type { Parties } from './parties.ts'
import { mergeReferences } from './platform-references.ts'

/**
 * What is known of the parties after another message. The newer message is right, save that it takes nothing away:
 * what it is silent about stays, and so does a line's number where a transfer has put the next leg's in its place.
 */
export function settleParties(
  known: Parties,
  told: Parties,
  isLineNumber: (number: NumberFact) => boolean,
): Parties {
  const keepsCaller = isAbsent(told.caller)
  const keepsService = !betters(told, known, isLineNumber)
  return {
    ...told,
    caller: keepsCaller ? known.caller : told.caller,
    serviceNumber: keepsService ? known.serviceNumber : told.serviceNumber,
    direction: told.direction === 'unknown' ? known.direction : told.direction,
    references: mergeReferences(known.references, told.references),
    foundIn: {
      ...told.foundIn,
      caller: (keepsCaller ? known : told).foundIn.caller,
      serviceNumber: (keepsService ? known : told).foundIn.serviceNumber,
      platformReference: known.foundIn.platformReference ?? told.foundIn.platformReference,
    },
  }
}

function isAbsent({ raw, isWithheld }: NumberFact): boolean {
  return raw === null && !isWithheld
}

/** Whether the newly told service number takes the known one's place. */
function betters(
  told: Parties,
  known: Parties,
  isLineNumber: (number: NumberFact) => boolean,
): boolean {
  if (isAbsent(told.serviceNumber)) return false
  if (isAbsent(known.serviceNumber) || isLineNumber(told.serviceNumber)) return true
  if (isLineNumber(known.serviceNumber)) return false
  // Neither is a line's: the first number that was dialled is, unless it was a guess and this is none.
  return (
    (known.foundIn.serviceNumber?.isGuess ?? true) && told.foundIn.serviceNumber?.isGuess === false
  )
}
