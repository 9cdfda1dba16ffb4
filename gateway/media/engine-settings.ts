import { availableParallelism } from 'node:os'
import type { Config } from '../../config/config.ts'
import type { DataPaths } from '../../config/data-paths.ts'
import type { EngineSettings } from '../../recorder/engine-protocol.ts'
import { encryptionOf } from '../encryption-settings.ts'
import { splitPorts } from './port-ranges.ts'

/** How each engine of a node is set up: ports, recordings and decoders are shared out among them. */
export function engineSettings(config: Config, paths: DataPaths): readonly EngineSettings[] {
  const { media } = config
  const encryption = encryptionOf(config.encryption)
  const count = media.engines ?? availableParallelism()
  const { otherVersion: other, holdBackMs, takesExpiredKeys, opus, skipsQuiet, quietDb } = media
  return splitPorts(media.ports.from, media.ports.to, count).map((range, engineIndex) => ({
    engineIndex,
    bindAddress: media.bindAddress,
    advertisedAddress: media.advertisedAddress ?? media.bindAddress,
    ...(other && {
      otherVersion: {
        bindAddress: other.bindAddress,
        advertisedAddress: other.advertisedAddress ?? other.bindAddress,
      },
    }),
    portFrom: range.from,
    portTo: range.to,
    portRestMs: media.ports.restS * 1000,
    maxRecordings: Math.ceil(media.maxRecordings / count),
    maxDecoders: Math.ceil(media.maxDecoders / count),
    ...{ holdBackMs, takesExpiredKeys, opus, skipsQuiet, quietDb },
    spoolPath: paths.spool,
    ...(encryption && { encryption }),
    ...(media.freeswitch && { forkListen: forkListen(media.freeswitch.forks, engineIndex) }),
  }))
}

/** Each engine has a port of its own. */
function forkListen({ host, port }: { host: string; port: number }, engineIndex: number) {
  return { host, port: port === 0 ? 0 : port + engineIndex }
}
