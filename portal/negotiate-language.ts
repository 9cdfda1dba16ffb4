import { LANGUAGES, type Language } from '../base/languages.ts'

const FALLBACK: Language = 'en'

/**
 * The language of ours that an Accept-Language header likes best (RFC 9110 §12.5.4), or English. A region is
 * left aside: `sv-FI` is Swedish. Of languages liked equally the one named first is taken.
 */
export function negotiateLanguage(acceptLanguage: string | undefined): Language {
  let best: { language: Language; quality: number } | undefined
  for (const part of (acceptLanguage ?? '').slice(0, 1000).split(',')) {
    const [range = '', ...parameters] = part.trim().toLowerCase().split(';')
    const language = LANGUAGES.find((one) => range === one || range.startsWith(`${one}-`))
    if (!language) continue
    const quality = qualityOf(parameters)
    if (quality > (best?.quality ?? 0)) best = { language, quality }
  }
  return best?.language ?? FALLBACK
}

function qualityOf(parameters: readonly string[]): number {
  const text = parameters.map((one) => one.trim()).find((one) => one.startsWith('q='))
  if (text === undefined) return 1
  const quality = Number(text.slice(2))
  return quality >= 0 && quality <= 1 ? quality : 0
}
