import { type Address, formatAddress } from '../../base/address.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { outsideAddresses } from './address.ts'
import { endLeftovers } from './end-leftovers.ts'
import { FolderLock } from './folder-lock.ts'
import { firstFreePort, portState } from './free-port.ts'
import { PortClaims } from './port-claims.ts'

export interface UpWishes {
  readonly config: Config
  readonly sip: Address | undefined
  readonly http: Address | undefined
  readonly dataPath: string
  /** Whether a taken SIP or HTTP port is replaced by a free one instead of ending the start. */
  readonly movesPorts: boolean
}

export interface UpPlan {
  /** The configuration that the processes get, with the addresses that are free. */
  readonly config: Config
  /** What was changed from what was asked, in sentences for the operator. */
  readonly notes: readonly string[]
  /** Keep others that start now off these addresses; to be released when the plan is done with. */
  readonly claims: PortClaims
}

/**
 * Settles the addresses of an `up`, after ending what a killed one has left running in the same folder. Rejects with
 * `data_in_use`, `port_taken` or `address_unavailable`.
 */
export async function planUp(wishes: UpWishes): Promise<UpPlan> {
  const notes: string[] = []
  // Whose ports are taken by the same folder's other `up` would rather hear of that one. What a killed one has left
  // running holds the very ports that are looked at next.
  await endLeftovers(FolderLock.leftovers(wishes.dataPath), (note) => notes.push(note))
  const asked = withAddresses(wishes)
  const claims = new PortClaims()
  try {
    const { movesPorts } = wishes
    const sip = await settleSip(asked.sip, { movesPorts, notes, claims })
    const spoken = new Set(sip.listen.map(({ port }) => port))
    const settling = { spoken, movesPorts, notes, claims }
    const portal = await settlePortal(asked.http.portal, settling)
    spoken.add(portal.port)
    const gateway = await settleInternal('gateway', asked.http.gateway, settling)
    spoken.add(gateway.port)
    const retention = await settleInternal('retention', asked.http.retention, settling)
    return { config: { ...asked, sip, http: { portal, gateway, retention } }, notes, claims }
  } catch (error) {
    claims.release()
    throw error
  }
}

interface Settling {
  readonly movesPorts: boolean
  readonly notes: string[]
  readonly claims: PortClaims
}

interface HttpSettling extends Settling {
  /** Ports that are given away already. */
  readonly spoken: ReadonlySet<number>
}

/** Whether the configuration leaves the database to `up`. */
export function usesPrivateDatabase({ database }: Config): boolean {
  return database.host === undefined && database.socketPath === undefined
}

function withAddresses({ config, sip, http, dataPath }: UpWishes): Config {
  const portal = http ?? config.http.portal
  const base = { ...config, dataPath, http: { ...config.http, portal } }
  if (!sip) return base
  const listen = (['udp', 'tcp'] as const).map((transport) => ({ transport, ...sip }))
  return {
    ...base,
    sip: { ...config.sip, listen },
    media: { ...config.media, ...mediaAddresses(sip.host, config) },
  }
}

/** Media goes where signalling goes, unless the configuration says otherwise. */
function mediaAddresses(sipHost: string, { media }: Config): Partial<Config['media']> {
  if (media.advertisedAddress !== undefined || media.bindAddress !== '127.0.0.1') return {}
  if (sipHost !== '0.0.0.0') return { bindAddress: sipHost === 'localhost' ? '127.0.0.1' : sipHost }
  const outside = outsideAddresses()
  const [only] = outside
  if (only === undefined || outside.length > 1) {
    throw new TallenneError(
      'address_unavailable',
      `--sip 0.0.0.0 leaves open which address callers send media to (this machine has ${outside.join(', ') || 'none that others reach'}): give one of them to --sip, or set media.advertisedAddress in the configuration.`,
    )
  }
  return { bindAddress: '0.0.0.0', advertisedAddress: only }
}

async function settleSip(
  sip: Config['sip'],
  { movesPorts, notes, claims }: Settling,
): Promise<Config['sip']> {
  if (sip.drachtio) return sip
  for (const { transport, ...address } of sip.listen) {
    const state = await portState(address, transport)
    if (state.kind === 'free' && (await claims.take(address))) continue
    const where = `SIP port ${address.port} (${transport}) of ${address.host}`
    if (state.kind === 'unusable') {
      throw unavailable(where, state.reason, 'with --sip or in sip.listen')
    }
    const port = movesPorts
      ? await firstFreePort(address, { transports: ['udp', 'tcp'], claims })
      : undefined
    if (port === undefined) throw taken(where, 'with --sip HOST:PORT or in sip.listen')
    notes.push(`${where} is taken: using ${port} instead.`)
    return {
      ...sip,
      listen: sip.listen.map((entry) =>
        entry.host === address.host && entry.port === address.port ? { ...entry, port } : entry,
      ),
    }
  }
  return sip
}

async function settlePortal(
  address: Address,
  { movesPorts, spoken, notes, claims }: HttpSettling,
): Promise<Address> {
  const state = await portState(address, 'tcp')
  const where = `HTTP port ${address.port} of ${address.host}`
  if (state.kind === 'unusable') {
    throw unavailable(where, state.reason, 'with --http or in http.portal')
  }
  const isFree = state.kind === 'free' && !spoken.has(address.port)
  if (isFree && (await claims.take(address))) return address
  const port = movesPorts
    ? await firstFreePort(address, { transports: ['tcp'], except: spoken, claims })
    : undefined
  if (port === undefined) throw taken(where, 'with --http HOST:PORT or in http.portal')
  notes.push(`${where} is taken: using ${port} instead.`)
  return { ...address, port }
}

/** The ports that only the processes themselves use move out of the way. */
async function settleInternal(
  name: string,
  address: Address,
  { spoken, notes, claims }: HttpSettling,
): Promise<Address> {
  const port = await firstFreePort(address, { transports: ['tcp'], except: spoken, claims })
  const where = `${name}'s HTTP port ${address.port}`
  if (port === undefined) {
    const state = await portState(address, 'tcp')
    if (state.kind === 'unusable') throw unavailable(where, state.reason, `in http.${name}`)
    throw taken(where, `in http.${name}`)
  }
  if (port !== address.port) notes.push(`${where} is taken: using ${port} instead.`)
  return { ...address, port }
}

function taken(where: string, how: string): TallenneError {
  return new TallenneError(
    'port_taken',
    `${where} is in use by another process: end that one, or choose another port ${how}.`,
  )
}

function unavailable(where: string, reason: string, how: string): TallenneError {
  return new TallenneError(
    'address_unavailable',
    `${where} cannot be used (${reason}): choose an address of this machine ${how}.`,
  )
}

/** All that the configuration listens on, for people. */
export function describeSip({ sip }: Config): string {
  if (sip.drachtio)
    return sip.drachtio.map((server) => `drachtio ${formatAddress(server)}`).join(', ')
  const transportsOf = new Map<string, string[]>()
  for (const { transport, ...address } of sip.listen) {
    const key = formatAddress(address)
    transportsOf.set(key, [...(transportsOf.get(key) ?? []), transport])
  }
  return [...transportsOf]
    .map(([key, transports]) => `${key} (${transports.join(', ')})`)
    .join(', ')
}
