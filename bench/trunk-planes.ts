import { findListeningProcess } from './listening-process.ts'
import type { NamedServers } from './named-servers.ts'

export const NUMBER = '+12025550100'

/** A way for a trunk call's sound. */
export interface TrunkPlane {
  readonly name: 'direct' | 'freeswitch'
  /** What a recorder's configuration says beside its routes. */
  readonly config: Readonly<Record<string, unknown>>
  /** Where callers send their INVITEs, `host:port`; undefined where that is the recorder itself. */
  readonly sip: string | undefined
  /** FreeSWITCH's own process, where it is one of this machine. */
  readonly freeswitchPid: number | undefined
}

export const directPlane: TrunkPlane = {
  name: 'direct',
  config: {},
  sip: undefined,
  freeswitchPid: undefined,
}

export function freeswitchPlane(
  freeswitch: NonNullable<NamedServers['freeswitch']>,
  drachtio: NamedServers['drachtio'],
): TrunkPlane {
  const media = { freeswitch: { servers: [{ name: 'bench', ...freeswitch }] } }
  const freeswitchPid = findListeningProcess(freeswitch.port)
  const plane = { name: 'freeswitch', freeswitchPid } as const
  if (drachtio === undefined) return { ...plane, config: { media }, sip: undefined }
  const { host, port, secret, sipPort } = drachtio
  const sip = { drachtio: [{ host, port, secret }] }
  return { ...plane, config: { media, sip }, sip: `${host}:${sipPort}` }
}

/** The whole configuration: all calls go to one platform, over the plane. */
export function configFor(plane: TrunkPlane, platform: string) {
  const targets = [{ uri: `sip:${platform}` }]
  // A call that goes on unrecorded would look cheap.
  const terms = { media: plane.name, recording: 'require' }
  const routes = [{ name: 'bench', numbers: [NUMBER], targets, ...terms }]
  return { ...plane.config, trunk: { routes, keepAlive: { everyS: 0 } } }
}
