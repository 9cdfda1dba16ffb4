/** A dialog as Replaces names it (RFC 3891 §6.1): its tags as whoever gets the header knows them. */
export interface NamedDialog {
  readonly callId: string
  /** The recipient's own. */
  readonly toTag: string
  readonly fromTag: string
}

const VALUE = /^[\x21-\x7e]{1,512}$/

/** Undefined for what names no dialog. */
export function readReplaces(value: string): NamedDialog | undefined {
  const text = value.replace(/\s+/g, '')
  if (!VALUE.test(text)) return undefined
  const [callId = '', ...parameters] = text.split(';')
  const tagNamed = (name: string) =>
    parameters.find((parameter) => parameter.toLowerCase().startsWith(`${name}=`))?.split('=')[1]
  const toTag = tagNamed('to-tag')
  const fromTag = tagNamed('from-tag')
  return callId === '' || !toTag || !fromTag ? undefined : { callId, toTag, fromTag }
}

export function writeReplaces({ callId, toTag, fromTag }: NamedDialog): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}`
}

/** The Replaces that a Refer-To asks for, as it stands in the header of the INVITE; undefined where it asks for none. */
export function replacesIn(referTo: string): string | undefined {
  const query = /\?([^>]*)/.exec(referTo)?.[1] ?? ''
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = pair.split('=', 2)
    if (name.toLowerCase() === 'replaces') return decoded(value)
  }
  return undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
