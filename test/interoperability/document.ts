import { isDeepStrictEqual } from 'node:util'
import { type MessageTraits, messageTraits, stopOf } from './offer-traits.ts'
import type { ScenarioOutcome } from './play-scenario.ts'
import type { ContactOutcome, Product, Scenario, ScenarioEvent } from './scenario.ts'

/** A vendor's scenarios and what came of them. */
export interface PlayedProduct {
  readonly vendor: string
  readonly product: Product
  readonly played: readonly PlayedScenario[]
}

export interface PlayedScenario {
  readonly scenario: Scenario
  readonly outcome: ScenarioOutcome
}

interface TraitedMessage extends MessageTraits {
  readonly file: string
  readonly event: ScenarioEvent
  readonly scenario: Scenario
  readonly isAsExpected: boolean
}

/** Whether everything is as it must be. */
export function isAsExpected({ scenario, outcome }: PlayedScenario): boolean {
  return (
    isDeepStrictEqual(
      outcome.messages,
      scenario.messages.map(({ expected }) => expected),
    ) && isDeepStrictEqual(outcome.contacts, scenario.contacts)
  )
}

/** docs/interoperability.md: what each vendor's equipment sends, and what the tests have shown of it. */
export function interoperabilityDocument(products: readonly PlayedProduct[]): string {
  const rows = products.map((product) => ({ ...product, messages: messagesOf(product) }))
  return [
    INTRODUCTION,
    '## What is sent and recorded\n',
    table(
      [
        'client',
        'known by',
        'metadata',
        'streams',
        'labels',
        'hold',
        'pause',
        'transfer',
        'conference',
      ],
      rows.map(({ product, played, messages }) => [
        product.name,
        list(
          played.flatMap(({ scenario }) => scenario.messages.map(({ expected }) => expected.sign)),
        ),
        metadataCell(messages),
        streamsCell(messages, played),
        labelsCell(messages),
        eventCell('hold', messages),
        eventCell('pause', messages),
        eventCell('transfer', messages),
        eventCell('conference', messages),
      ]),
    ),
    '\n## Who is who\n',
    'Sources are those of [identification.md](identification.md); a question mark marks a guess.\n',
    table(
      ['client', 'caller', 'service number', 'agent', 'platform reference', 'names of the call'],
      rows.map(({ product, played, messages }) => [
        product.name,
        ...(['caller', 'serviceNumber', 'agent', 'platformReference'] as const).map((party) =>
          sourcesCell(party, played),
        ),
        list(messages.flatMap(({ references }) => references).filter(isOfCall)),
      ]),
    ),
    '\n## How it comes, and what shows it\n',
    table(
      ['client', 'over', 'codecs offered', 'SRTP offered', 'shown by'],
      rows.map(({ vendor, product, played, messages }) => [
        product.name,
        list(messages.map(({ transport }) => transport)),
        codecsCell(messages),
        suitesCell(messages),
        played.map((scenario) => scenarioCell(vendor, scenario)).join('<br>'),
      ]),
    ),
    '\n## Where the facts come from\n',
    ...rows.map(({ product }) => `- **${product.name}**: ${product.facts.join('; ')}.`),
    '',
  ].join('\n')
}

const INTRODUCTION = `# Recording clients and what was seen of them

This page is made by \`npm run interoperability\` out of the messages in \`sip-fixtures/\` and of what a gateway did with them over real sockets; a test holds it to both. The messages are written after vendors' documents and public sources, not taken from their equipment: what stands here is what Tallenne does with messages of this form, and a site's own trace may differ.

✓ is as it must be, ✗ is not yet, – is not among the messages.
`

function messagesOf({ vendor, played }: PlayedProduct): readonly TraitedMessage[] {
  return played.flatMap(({ scenario, outcome }) =>
    scenario.messages.map(({ file, event, expected }, at) => ({
      ...messageTraits(`${vendor}/${file}`),
      file,
      event,
      scenario,
      isAsExpected:
        isDeepStrictEqual(outcome.messages[at], expected) &&
        isDeepStrictEqual(outcome.contacts, scenario.contacts),
    })),
  )
}

function metadataCell(messages: readonly TraitedMessage[]): string {
  const dialects = new Set(messages.map(({ metadata }) => metadata).filter((name) => name !== null))
  return list([...dialects]) === '' ? 'none' : list([...dialects])
}

function audioLines({ offer }: MessageTraits): number {
  return offer?.media.filter(({ kind }) => kind === 'audio').length ?? 0
}

function streamsCell(
  messages: readonly TraitedMessage[],
  played: readonly PlayedScenario[],
): string {
  const counts = [...new Set(messages.map(audioLines))].filter((count) => count > 0).toSorted()
  const isMixed = played.some(({ outcome }) =>
    outcome.messages.at(-1)?.streams?.every(({ role }) => role === 'mixed'),
  )
  const hasSessions = played.some(
    ({ scenario }) =>
      new Set(
        messages.filter((message) => message.scenario === scenario).map(({ callId }) => callId),
      ).size > 1,
  )
  return [
    counts.join(' or '),
    ...(isMixed ? ['mixed'] : []),
    ...(hasSessions ? ['several sessions'] : []),
  ].join(', ')
}

function labelsCell(messages: readonly TraitedMessage[]): string {
  const [most] = messages.toSorted((a, b) => audioLines(b) - audioLines(a))
  const labels = most?.offer?.media.flatMap(({ label }) => label ?? []) ?? []
  return labels.length === 0 ? 'none' : labels.join(', ')
}

/** Each way in which an event is signalled, with whether it came out right. */
function eventCell(event: ScenarioEvent, messages: readonly TraitedMessage[]): string {
  const ways = new Map<string, boolean>()
  for (const message of messages) {
    if (message.event !== event) continue
    const way =
      event === 'hold' || event === 'pause' ? (stopOf(message) ?? message.method) : wayOf(message)
    ways.set(way, (ways.get(way) ?? true) && message.isAsExpected)
  }
  if (ways.size === 0) return '–'
  return [...ways].map(([way, isRight]) => `${isRight ? '✓' : '✗'} ${way}`).join('<br>')
}

function wayOf({ method, scenario, callId }: TraitedMessage): string {
  if (method === 'UPDATE') return 'UPDATE'
  const sessions = new Set(
    scenario.messages.map(({ file }) => messageTraits(`${scenario.vendor}/${file}`).callId),
  )
  return sessions.size > 2 && callId !== '' ? 'new session' : 're-INVITE'
}

function sourcesCell(party: string, played: readonly PlayedScenario[]): string {
  const sources = played
    .flatMap(({ outcome }) => outcome.contacts)
    .map(({ foundIn }: ContactOutcome) => foundIn[party])
    .flatMap((found) => (found ? [`\`${found.source}\`${found.isGuess ? ' ?' : ''}`] : []))
  return [...new Set(sources)].join('<br>') || '–'
}

/** Names that two sessions of one call may have in common. */
function isOfCall(kind: string): boolean {
  return kind !== 'rfc7865-participant'
}

function codecsCell(messages: readonly TraitedMessage[]): string {
  const names = messages.flatMap(({ offer }) =>
    (offer?.media ?? [])
      .filter(({ kind }) => kind === 'audio')
      .flatMap(({ formats }) => formats.map(({ encoding }) => encoding)),
  )
  return list(names.map((name) => (/^opus$/i.test(name) ? 'Opus' : name)))
}

function suitesCell(messages: readonly TraitedMessage[]): string {
  const suites = messages.flatMap(({ offer }) =>
    (offer?.media ?? []).flatMap(({ crypto }) => crypto.map((line) => line.split(' ')[1])),
  )
  return list(suites) || '–'
}

function scenarioCell(vendor: string, played: PlayedScenario): string {
  const { name, title, awaits } = played.scenario
  const mark = isAsExpected(played) ? '✓' : '✗'
  const note = awaits === undefined ? '' : ` (awaits ${awaits})`
  return `${mark} [${name}](../sip-fixtures/${vendor}/${name}.json): ${title}${note}`
}

function list(values: readonly (string | null | undefined)[]): string {
  return [...new Set(values)]
    .filter((value) => value !== undefined && value !== '')
    .map((value) => value ?? 'nothing')
    .join(', ')
}

/** Aligned, as the project's formatter leaves tables. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, at) =>
    Math.max(3, head.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
