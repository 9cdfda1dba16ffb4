import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FoundIn } from '../../storage/model.ts'

/** What a vendor's equipment sends in the course of a call, and what must come of it. sip-fixtures/README.md says how. */
export interface Scenario {
  /** Of the folder in sip-fixtures/. */
  readonly vendor: string
  readonly name: string
  readonly title: string
  /** As in the folder's product.json. */
  readonly configuration: {
    /** ISO 3166-1. */
    readonly region?: string
    readonly unmarked?: 'record'
    readonly crossedStreams?: readonly string[]
  }
  /** A part of the gateway that is not there yet: until it is, the contacts differ. */
  readonly awaits?: string
  readonly messages: readonly ScenarioMessage[]
  readonly contacts: readonly ContactOutcome[]
}

/** What a message is for, in the words of the table. */
export type ScenarioEvent =
  | 'start'
  | 'answer'
  | 'hold'
  | 'resume'
  | 'transfer'
  | 'conference'
  | 'pause'
  | 'identity'
  | 'refresh'
  | 'end'

export interface ScenarioMessage {
  /** Without `.txt`. */
  readonly file: string
  readonly event: ScenarioEvent
  readonly expected: MessageOutcome
}

/** What one message has led to. */
export interface MessageOutcome {
  /** Of the final response; null for an ACK. */
  readonly status: number | null
  /** The sign by which an INVITE outside of a dialog counts as a recording session. */
  readonly sign?: string | null
  /** What was wrong with the body. */
  readonly problems?: readonly string[]
  /** The answer's m-lines with direction and label, ports as `*`. */
  readonly answer?: readonly string[]
  /** All streams of the message's session from then on. */
  readonly streams?: readonly StreamOutcome[]
}

export interface StreamOutcome {
  readonly streamId: string
  readonly role: string
  readonly isReceiving: boolean
}

/** A contact as the journal tells it; instants are the messages at which something happened. */
export interface ContactOutcome {
  readonly caller: string | null
  readonly callerWithheld: boolean
  readonly serviceNumber: string | null
  readonly serviceLine: string
  readonly agent: string | null
  readonly platformReference: string | null
  readonly direction: string
  readonly foundIn: Readonly<Record<string, FoundIn | null>>
  readonly endReason: string | null
  readonly segments: readonly SpanOutcome[]
  readonly recordings: readonly Omit<SpanOutcome, 'agent'>[]
}

export interface SpanOutcome {
  readonly agent: string | null
  readonly from: string
  readonly to: string | null
}

/** What is known of a vendor's equipment beside its messages. */
export interface Product {
  readonly name: string
  /** Where the facts behind the messages come from. */
  readonly facts: readonly string[]
}

/** Fixtures are not compiled: from build/test/interoperability they are three folders up. */
const FOLDER = new URL('../../../sip-fixtures/', import.meta.url)

/** Names of the folders, one for each vendor's equipment, in the order of the alphabet. */
export function vendorNames(): readonly string[] {
  return readdirSync(fileURLToPath(FOLDER), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
}

export function readProduct(vendor: string): Product {
  return readJson(`${vendor}/product.json`)
}

export function readScenarios(vendor: string): readonly Scenario[] {
  return readdirSync(fileURLToPath(new URL(`${vendor}/`, FOLDER)))
    .filter((file) => file.endsWith('.json') && file !== 'product.json')
    .toSorted()
    .map((file) => ({
      ...readJson<Omit<Scenario, 'vendor' | 'name'>>(`${vendor}/${file}`),
      vendor,
      name: file.slice(0, -'.json'.length),
    }))
}

/** Paths of all messages, as `cisco-cube/invite`. */
export function messageNames(): readonly string[] {
  return vendorNames().flatMap((vendor) =>
    readdirSync(fileURLToPath(new URL(`${vendor}/`, FOLDER)))
      .filter((file) => file.endsWith('.txt'))
      .map((file) => `${vendor}/${file.slice(0, -'.txt'.length)}`),
  )
}

/** A message's bytes, as `latin1` text: one character for each. */
export function readMessage(name: string): string {
  return readFileSync(new URL(`${name}.txt`, FOLDER), 'latin1')
}

function readJson<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8'))
}
