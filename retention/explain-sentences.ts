import { Temporal } from 'temporal-polyfill'
import type { Language } from '../base/languages.ts'
import type { ServiceLinePolicy } from '../storage/service-lines.ts'
import type { Fate } from './fate.ts'

export interface FateContext {
  readonly serviceLine: string
  readonly policy: ServiceLinePolicy | undefined
  readonly callEndedAtMs: number | undefined
}

/** The parts of a sentence, ready to be read in the language. */
interface Words {
  readonly line: string
  readonly version: string
  /** For example `2 months`. */
  readonly period: string
  readonly callEnd: string
  /** The moment that the fate is about. */
  readonly at: string
  readonly reason: string
  readonly by: string
  /** Undefined while a hold has no end. */
  readonly until: string | undefined
}

type Sentences = Readonly<Record<Fate['kind'] | 'contact', (words: Words) => string>>

const SENTENCES: Readonly<Record<Language, Sentences>> = {
  en: {
    open: () => 'The call is still going on, so no deletion time has been set.',
    unruled: ({ line }) =>
      `No retention policy has been set for service line ${line}, so the recording is kept until one is.`,
    kept: ({ line }) =>
      `Service line ${line} has no retention period, so the recording is kept until further notice.`,
    planned: ({ line, period, callEnd, at }) =>
      `Service line ${line} keeps recordings for ${period} from the end of the call, which was ${callEnd}. The recording will be deleted in the first sweep after ${at}.`,
    due: ({ line, period, at }) =>
      `The retention period of service line ${line} (${period}) ran out on ${at}. The recording will be deleted in the next sweep.`,
    held: ({ reason, by, until }) =>
      `The recording is on hold (reason: ${reason}; placed by ${by}) ${until ? `until ${until}` : 'until further notice'}, and it will not be deleted before the hold ends.`,
    deleting: ({ at }) =>
      `Deletion of the recording began on ${at}, and the next sweep will complete it.`,
    deleted: ({ at, line, version, period }) =>
      `The recording was deleted on ${at} under version ${version} of the retention policy of service line ${line} (${period}).`,
    contact: () => 'The contact’s row is kept: it is deleted on request only.',
  },
  fi: {
    open: () => 'Puhelu on vielä kesken, joten poistoaikaa ei ole määritetty.',
    unruled: ({ line }) =>
      `Palvelulinjalle ${line} ei ole määritetty säilytyssääntöä, joten tallenne säilytetään, kunnes sääntö määritetään.`,
    kept: ({ line }) =>
      `Palvelulinjalle ${line} ei ole määritetty säilytysaikaa, joten tallenne säilytetään toistaiseksi.`,
    planned: ({ line, period, callEnd, at }) =>
      `Palvelulinjan ${line} tallenteiden säilytysaika on ${period} puhelun päättymisestä. Puhelu päättyi ${callEnd}. Tallenne poistetaan ensimmäisellä poistokierroksella, joka alkaa tämän ajankohdan jälkeen: ${at}.`,
    due: ({ line, period, at }) =>
      `Palvelulinjan ${line} säilytysaika (${period}) päättyi ${at}. Tallenne poistetaan seuraavalla poistokierroksella.`,
    held: ({ reason, by, until }) =>
      `Tallenteella on poistokielto (syy: ${reason}; asettaja: ${by}), joka on voimassa ${until ? `tähän asti: ${until}` : 'toistaiseksi'}. Tallennetta ei poisteta ennen kuin poistokielto päättyy.`,
    deleting: ({ at }) =>
      `Tallenteen poisto aloitettiin ${at}, ja se viedään loppuun seuraavalla poistokierroksella.`,
    deleted: ({ at, line, version, period }) =>
      `Tallenne poistettiin ${at} palvelulinjan ${line} säilytyssäännön version ${version} mukaisesti (säilytysaika: ${period}).`,
    contact: () => 'Yhteydenoton tiedot säilytetään: ne poistetaan vain pyynnöstä.',
  },
  sv: {
    open: () => 'Samtalet pågår fortfarande, så ingen raderingstid har fastställts.',
    unruled: ({ line }) =>
      `Ingen lagringsregel har fastställts för servicelinjen ${line}, så inspelningen bevaras tills en regel fastställs.`,
    kept: ({ line }) =>
      `Servicelinjen ${line} har ingen lagringstid, så inspelningen bevaras tills vidare.`,
    planned: ({ line, period, callEnd, at }) =>
      `Lagringstiden för inspelningar på servicelinjen ${line} är ${period} från samtalets slut. Samtalet slutade ${callEnd}. Inspelningen raderas vid den första raderingskörningen efter ${at}.`,
    due: ({ line, period, at }) =>
      `Lagringstiden på servicelinjen ${line} (${period}) gick ut ${at}. Inspelningen raderas vid nästa raderingskörning.`,
    held: ({ reason, by, until }) =>
      `Inspelningen omfattas av ett raderingsförbud (orsak: ${reason}; utfärdat av ${by}) som gäller ${until ? `till ${until}` : 'tills vidare'}. Inspelningen raderas inte förrän förbudet upphör.`,
    deleting: ({ at }) =>
      `Raderingen av inspelningen påbörjades ${at} och slutförs vid nästa raderingskörning.`,
    deleted: ({ at, line, version, period }) =>
      `Inspelningen raderades ${at} enligt version ${version} av lagringsregeln för servicelinjen ${line} (lagringstid: ${period}).`,
    contact: () => 'Uppgifterna om kontakten bevaras: de raderas endast på begäran.',
  },
}

const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', fi: 'fi-FI', sv: 'sv-FI' }

/** What becomes of a recording and of its contact's row, in each language. */
export function describeFate(fate: Fate, context: FateContext): Readonly<Record<Language, string>> {
  const describe = (language: Language) => {
    const words = wordsOf(fate, context, LOCALES[language])
    const { [fate.kind]: sentence, contact } = SENTENCES[language]
    return `${sentence(words)} ${contact(words)}`
  }
  return { en: describe('en'), fi: describe('fi'), sv: describe('sv') }
}

function wordsOf(
  fate: Fate,
  { serviceLine, policy, callEndedAtMs }: FateContext,
  locale: string,
): Words {
  const timeZone = policy?.timeZone ?? 'UTC'
  const read = (epochMs: number | undefined) =>
    epochMs === undefined ? '' : readTime(epochMs, { timeZone, locale })
  const hold = fate.kind === 'held' ? fate.hold : undefined
  return {
    line: serviceLine,
    version: String(policy?.version ?? 0),
    period: policy?.period ? readPeriod(policy.period, locale) : '–',
    callEnd: read(callEndedAtMs),
    at: read(momentOf(fate)),
    reason: hold?.reason ?? '',
    by: hold?.placedBy ?? '',
    until: hold?.untilMs == null ? undefined : read(hold.untilMs),
  }
}

function momentOf(fate: Fate): number | undefined {
  switch (fate.kind) {
    case 'planned':
    case 'due':
    case 'held':
      return fate.deleteAfterMs
    case 'deleting':
      return fate.sinceMs
    case 'deleted':
      return fate.atMs
    case 'open':
    case 'unruled':
    case 'kept':
      return undefined
  }
}

/** The moment on the zone's clock, with the same moment in UTC for whoever compares it with a log. */
function readTime(
  epochMs: number,
  { timeZone, locale }: { readonly timeZone: string; readonly locale: string },
): string {
  const local = new Intl.DateTimeFormat(locale, {
    timeZone,
    dateStyle: 'long',
    timeStyle: 'medium',
  }).format(epochMs)
  return `${local} (${timeZone}; ${new Date(epochMs).toISOString()})`
}

function readPeriod(period: string, locale: string): string {
  const { years, months, weeks, days } = Temporal.Duration.from(period)
  const parts = Object.entries({ year: years, month: months, week: weeks, day: days })
    .filter(([, count]) => count > 0)
    .map(([unit, count]) =>
      new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count),
    )
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(parts)
}
