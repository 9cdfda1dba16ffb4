import type { Dialog } from './dialog.ts'
import { parseNameAddress } from './name-address.ts'
import { parseSipUri, uriParameter } from './sip-uri.ts'

export interface DialogRoute {
  readonly uri: string
  readonly routes: readonly string[]
  /** URI of where it is sent. */
  readonly sendTo: string
}

/**
 * Request-URI, Route headers and destination of a request within a dialog (RFC 3261 §12.2.1.1). A first route
 * without `lr` is a strict router: its URI becomes the Request-URI and the target goes last.
 */
export function routeOf(dialog: Dialog, uri: string): DialogRoute {
  const [first] = dialog.routeSet
  if (first === undefined) return { uri, routes: [], sendTo: dialog.natTarget ?? uri }
  const firstUri = parseNameAddress(first)?.uri ?? uri
  const sendTo = dialog.natTarget ?? firstUri
  const parsed = parseSipUri(firstUri)
  const isLoose = parsed === undefined || uriParameter(parsed, 'lr') !== undefined
  if (isLoose) return { uri, routes: dialog.routeSet, sendTo }
  return { uri: firstUri, routes: [...dialog.routeSet.slice(1), `<${uri}>`], sendTo }
}
