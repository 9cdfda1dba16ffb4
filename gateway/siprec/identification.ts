import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import {
  AGENT_SOURCES,
  CALLER_SOURCES,
  SERVICE_NUMBER_SOURCES,
  type Source,
  sourceByName,
} from './identification-sources.ts'
import { REFERENCE_SOURCES, type ReferenceSource } from './platform-references.ts'

/** Where each party is looked for, in order. */
export interface Identification {
  /** ISO 3166-1. */
  readonly region: string
  readonly caller: readonly Source[]
  readonly serviceNumber: readonly Source[]
  readonly agent: readonly Source[]
  readonly platformReference: readonly ReferenceSource[]
  /** Hosts of Contact or parts of User-Agent of clients whose streams are crossed. */
  readonly crossedStreams: readonly string[]
}

/** Turns the configured source names into sources; throws `unknown_source`, which lists the known names. */
export function createIdentification(config: Config['identification']): Identification {
  return {
    region: config.region.toUpperCase(),
    caller: sources('caller', config.caller, CALLER_SOURCES),
    serviceNumber: sources('serviceNumber', config.serviceNumber, SERVICE_NUMBER_SOURCES),
    agent: sources('agent', config.agent, AGENT_SOURCES),
    platformReference: referenceSources(config.platformReference),
    crossedStreams: config.crossedStreams,
  }
}

/** Sources that the configuration does not name stay as ways to know the call again, after those that it does. */
function referenceSources(names: readonly string[] | undefined): readonly ReferenceSource[] {
  const wanted = sources('platformReference', names, REFERENCE_SOURCES).map((source) => {
    const known = REFERENCE_SOURCES.find(({ name }) => name === source.name)
    return known ?? { ...source, kind: 'configured' as const }
  })
  return [...new Set([...wanted, ...REFERENCE_SOURCES])]
}

function sources(
  party: string,
  names: readonly string[] | undefined,
  known: readonly Source[],
): readonly Source[] {
  if (names === undefined) return known
  return names.map((name, at) => {
    const source = sourceByName(name, known)
    if (source !== null) return source
    const expected = [...known.map(({ name }) => name), 'header:NAME', 'metadata:PATH'].join(', ')
    throw new TallenneError(
      'unknown_source',
      `identification.${party}[${at}]: '${name}' is not a source; expected one of ${expected}`,
    )
  })
}
