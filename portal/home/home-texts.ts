import type { Language } from '../../base/languages.ts'

export interface HomeTexts {
  /** The language's own name. */
  readonly name: string
  readonly tagline: string
  readonly about: string
  readonly linksTitle: string
  readonly openApi: string
  readonly ready: string
  readonly alive: string
  readonly metrics: string
  readonly tokenTitle: string
  readonly token: string
  readonly callerTitle: string
  readonly caller: string
  readonly otherLanguages: string
}

export const HOME_TEXTS: Readonly<Record<Language, HomeTexts>> = {
  fi: {
    name: 'Suomi',
    tagline: 'Puheluiden tallennusjärjestelmä',
    about:
      'Tässä osoitteessa on Tallenne-järjestelmän HTTP-rajapinta. Sen kautta ohjelmat hakevat yhteydenottoja ja puhelutallenteita ja näkevät käynnissä olevat puhelut.',
    linksTitle: 'Rajapinta',
    openApi: 'Kuvaus kehittäjille (OpenAPI 3.1)',
    ready: 'Onko portaali käyttövalmis?',
    alive: 'Onko portaali käynnissä?',
    metrics: 'Mittarit (Prometheus)',
    tokenTitle: 'Tunnistautuminen',
    token:
      'Jokainen pyyntö, jonka polku alkaa merkeillä /api, tarvitsee pääsytunnisteen. Ylläpitäjän tunniste on asennuksen tiedostossa admin.token.',
    callerTitle: 'Soititko palveluun?',
    caller:
      'Jos haluat tietää, onko puhelusi tallennettu, saada tallenteen tai pyytää sen poistamista, ota yhteyttä palveluun, johon soitit.',
    otherLanguages: 'Muut kielet',
  },
  sv: {
    name: 'Svenska',
    tagline: 'System för inspelning av samtal',
    about:
      'På den här adressen finns Tallennes HTTP-gränssnitt. Genom det söker program efter kontakter, hämtar samtalsinspelningar och ser pågående samtal.',
    linksTitle: 'Gränssnittet',
    openApi: 'Beskrivning för utvecklare (OpenAPI 3.1)',
    ready: 'Är portalen klar att användas?',
    alive: 'Är portalen i gång?',
    metrics: 'Mätvärden (Prometheus)',
    tokenTitle: 'Autentisering',
    token:
      'Varje begäran vars sökväg börjar med /api behöver en åtkomsttoken. Administratörens token finns i installationens fil admin.token.',
    callerTitle: 'Har du ringt till en tjänst?',
    caller:
      'Om du vill veta om ditt samtal har spelats in, få inspelningen eller begära att den raderas, kontakta den tjänst som du ringde till.',
    otherLanguages: 'Andra språk',
  },
  en: {
    name: 'English',
    tagline: 'Call recording',
    about:
      'At this address is the HTTP API of Tallenne. Through it, programs search contacts, fetch recordings of calls and see the calls that go on now.',
    linksTitle: 'The API',
    openApi: 'Description for developers (OpenAPI 3.1)',
    ready: 'Is the portal ready for use?',
    alive: 'Is the portal running?',
    metrics: 'Metrics (Prometheus)',
    tokenTitle: 'Signing in',
    token:
      'Every request whose path begins with /api needs an access token. The administrator’s is in the installation’s file admin.token.',
    callerTitle: 'Did you call a service?',
    caller:
      'To learn whether your call was recorded, to get the recording, or to ask for its deletion, contact the service that you called.',
    otherLanguages: 'Other languages',
  },
}
