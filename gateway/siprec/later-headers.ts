import { readSipAddress } from '../sip-address.ts'
import type { ReadHeaders } from './recording-session-request.ts'

/** Parties that Cisco describes in headers change with them; all other headers are the INVITE's for good. */
const TELLING: readonly {
  readonly name: string
  readonly isTelling: (value: string) => boolean
}[] = [
  { name: 'x-cisco-recording-participant', isTelling: () => true },
  {
    name: 'from',
    isTelling: (value) => {
      const { parameters } = readSipAddress(value)
      return parameters.has('x-nearend') || parameters.has('x-farend')
    },
  },
]

/** The headers as a later message of the dialog has changed them; undefined where it has not. */
export function laterHeaders(known: ReadHeaders, later: ReadHeaders): ReadHeaders | undefined {
  const changed = new Map(
    TELLING.flatMap(({ name, isTelling }) => {
      const values = later(name)
      const isNews = values.join('\n') !== known(name).join('\n')
      return isNews && values.some(isTelling) ? [[name, values] as const] : []
    }),
  )
  if (changed.size === 0) return undefined
  return (name) => changed.get(name.toLowerCase()) ?? known(name)
}
