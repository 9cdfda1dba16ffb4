import { isIP } from 'node:net'
import { nearestWord } from '../base/nearest-word.ts'
import { isAddressBlock } from './address-block.ts'
import type { Config } from './config.ts'
import { checkDoor } from './door-checks.ts'
import type { FreeswitchConfig } from './freeswitch-config.ts'
import { type ConfigPath, type CrossMistake, describeFound } from './mistake.ts'
import { checkSip } from './sip-checks.ts'

/** What is legible of a service line that may be wrong otherwise. */
export interface LegibleLine {
  readonly name: string | undefined
  /** With an empty text in the place of what is no text. */
  readonly numbers: readonly string[]
  readonly timeZone: string | undefined
}

/**
 * Checks values against each other. Sections that are wrong in themselves are left out of `config`; `lines`
 * are the service lines all the same, so that one bad line does not hide what others do.
 */
export function crossCheck(config: Partial<Config>, lines: readonly LegibleLine[]): CrossMistake[] {
  return [
    ...checkLines(lines, config),
    ...checkTimeZones(lines, config),
    ...checkSip(config),
    ...checkDoor(config),
    ...checkMedia(config),
    ...checkFreeswitch(config),
    ...checkProtection(config),
    ...checkAddresses(config),
    ...checkAnnouncements(lines, config),
    ...checkSources(['trunk', 'routes'], config.trunk?.routes ?? []),
    ...checkSources(['siprec', 'peers'], config.siprec?.peers ?? []),
    ...checkSources(['sip', 'peers'], config.sip?.peers ?? []),
  ]
}

function* checkLines(
  lines: readonly LegibleLine[],
  { catchAll }: Partial<Config>,
): Iterable<CrossMistake> {
  const lineOfName = new Map<string, number>()
  const lineOfNumber = new Map<string, string>()
  for (const [index, line] of lines.entries()) {
    const path = ['serviceLines', index]
    const name = line.name ?? ''
    const earlier = lineOfName.get(name)
    if (earlier !== undefined) {
      yield {
        path: [...path, 'name'],
        found: `${describeFound(name)}, the name of serviceLines[${earlier}] too`,
        expected: 'a name of its own for each line',
      }
    }
    if (name !== '') lineOfName.set(name, index)
    if (name === catchAll?.name) {
      yield {
        path: [...path, 'name'],
        found: `${describeFound(name)}, which is catchAll.name`,
        expected: 'another name, since that line takes what belongs to none',
      }
    }
    for (const [place, number] of line.numbers.entries()) {
      const owner = lineOfNumber.get(number)
      if (owner !== undefined) {
        yield {
          path: [...path, 'numbers', place],
          found: `${describeFound(number)}, which is in line ${owner} already`,
          expected: 'each number in one line, once',
        }
      }
      if (number !== '') lineOfNumber.set(number, name)
    }
  }
}

function* checkTimeZones(
  lines: readonly LegibleLine[],
  { catchAll }: Partial<Config>,
): Iterable<CrossMistake> {
  const zones = [
    ...lines.map((line, index) => ({
      path: ['serviceLines', index, 'timeZone'],
      zone: line.timeZone,
    })),
    ...(catchAll ? [{ path: ['catchAll', 'timeZone'], zone: catchAll.timeZone }] : []),
  ]
  for (const { path, zone } of zones) {
    if (zone === undefined || isTimeZone(zone)) continue
    const meant = nearestWord(zone, Intl.supportedValuesOf('timeZone'))
    yield {
      path,
      found: describeFound(zone),
      expected: `a time zone of the IANA database, as ${meant ?? 'Europe/Helsinki'}`,
    }
  }
}

function* checkMedia({ media }: Partial<Config>): Iterable<CrossMistake> {
  if (!media) return
  const { from, to } = media.ports
  const other = media.otherVersion?.bindAddress
  const isOther = isIP(other ?? '') + isIP(media.bindAddress) === 10
  if (other !== undefined && !isOther) {
    yield {
      path: ['media', 'otherVersion', 'bindAddress'],
      found: `${describeFound(other)}, beside ${media.bindAddress}`,
      expected: 'one address to be IPv4 and the other IPv6',
    }
  }
  // A recording needs at least four: RTP and RTCP for each party.
  if (to - from + 1 < 4) {
    yield {
      path: ['media', 'ports', 'to'],
      found: String(to),
      expected: `at least ${from + 3}, which is four ports from media.ports.from`,
    }
  }
}

function* checkFreeswitch({ media, trunk, siprec }: Partial<Config>): Iterable<CrossMistake> {
  if (!media) return
  const { freeswitch } = media
  if (freeswitch === undefined) {
    yield* checkPlanes(['trunk', 'routes'], trunk?.routes ?? [])
    yield* checkPlanes(['siprec', 'peers'], siprec?.peers ?? [])
    return
  }
  const serverOfName = new Map<string, number>()
  for (const [index, { name }] of freeswitch.servers.entries()) {
    const earlier = serverOfName.get(name)
    if (earlier !== undefined) {
      yield {
        path: ['media', 'freeswitch', 'servers', index, 'name'],
        found: `${describeFound(name)}, the name of media.freeswitch.servers[${earlier}] too`,
        expected: 'a name of its own for each server',
      }
    }
    serverOfName.set(name, index)
  }
  yield* checkForks(freeswitch.forks, media.engines ?? 1)
}

/** Only a service line that there is can have an announcement of its own. */
function* checkAnnouncements(
  lines: readonly LegibleLine[],
  { trunk, catchAll }: Partial<Config>,
): Iterable<CrossMistake> {
  const names = [...lines.map(({ name }) => name), catchAll?.name]
  for (const [index, { announcement }] of (trunk?.routes ?? []).entries()) {
    for (const line of Object.keys(announcement?.lines ?? {})) {
      if (names.includes(line)) continue
      yield {
        path: ['trunk', 'routes', index, 'announcement', 'lines', line],
        found: `${describeFound(line)}, which is no service line`,
        expected: 'the name of a service line',
      }
    }
  }
}

/** FreeSWITCH takes keys as they come, and speaks to targets in the clear. */
function* checkProtection({ trunk, siprec }: Partial<Config>): Iterable<CrossMistake> {
  const mistake = (path: ConfigPath, found: string): CrossMistake => ({
    path,
    found: `${found}, and media is freeswitch`,
    expected: 'media: direct, since FreeSWITCH decides on SRTP itself',
  })
  for (const [index, { media, srtp, targets }] of (trunk?.routes ?? []).entries()) {
    if (media !== 'freeswitch') continue
    const path = ['trunk', 'routes', index]
    if (srtp !== 'allow') yield mistake([...path, 'srtp'], srtp)
    for (const [place, target] of targets.entries()) {
      if (target.srtp === undefined || target.srtp === 'off') continue
      yield mistake([...path, 'targets', place, 'srtp'], target.srtp)
    }
  }
  for (const [index, { media, srtp }] of (siprec?.peers ?? []).entries()) {
    if (media !== 'freeswitch' || srtp === undefined || srtp === 'allow') continue
    yield mistake(['siprec', 'peers', index, 'srtp'], srtp)
  }
}

/** Without any server of FreeSWITCH nobody can be sent there. */
function* checkPlanes(
  path: ConfigPath,
  entries: readonly { readonly media: 'direct' | 'freeswitch' }[],
): Iterable<CrossMistake> {
  for (const [index, { media }] of entries.entries()) {
    if (media !== 'freeswitch') continue
    yield {
      path: [...path, index, 'media'],
      found: 'freeswitch, and no media.freeswitch',
      expected: 'servers in media.freeswitch, or direct',
    }
  }
}

/** FreeSWITCH gets the address in a URL, and fails without a word where it cannot read it. */
function* checkForks(
  { host, port, advertisedAddress }: FreeswitchConfig['forks'],
  engines: number,
): Iterable<CrossMistake> {
  const path = ['media', 'freeswitch', 'forks']
  const told = advertisedAddress ?? host
  const where = advertisedAddress === undefined ? 'host' : 'advertisedAddress'
  if (told === '0.0.0.0' || told === '::') {
    yield {
      path: [...path, 'advertisedAddress'],
      found: `${told}, which is no address to connect to`,
      expected: 'the address that FreeSWITCH reaches this node at',
    }
  } else if (!/^[A-Za-z0-9.-]+$/.test(told)) {
    yield {
      path: [...path, where],
      found: describeFound(told),
      expected: 'an IPv4 address or a host name, since mod_audio_fork connects to no other',
    }
  }
  if (port > 0 && port + engines - 1 > 65_535) {
    yield {
      path: [...path, 'port'],
      found: String(port),
      expected: `a port that leaves one for each of ${engines} engines`,
    }
  }
}

function* checkAddresses({ http, sip, media }: Partial<Config>): Iterable<CrossMistake> {
  const taken = new Map<string, string>()
  for (const process of ['portal', 'gateway', 'retention'] as const) {
    if (!http) break
    const { host, port } = http[process]
    const address = `${host}:${port}`
    const owner = taken.get(address)
    if (owner !== undefined) {
      yield {
        path: ['http', process, 'port'],
        found: `${address}, which is http.${owner} too`,
        expected: 'an address of its own for each process',
      }
    }
    taken.set(address, process)
  }
  for (const [index, { transport, port }] of (sip?.listen ?? []).entries()) {
    if (transport === 'udp' && media && port >= media.ports.from && port <= media.ports.to) {
      yield {
        path: ['sip', 'listen', index, 'port'],
        found: `${port}, which is within media.ports (${media.ports.from} to ${media.ports.to})`,
        expected: 'a port outside of them',
      }
    }
  }
}

/** Names and source addresses of what calls come from. */
function* checkSources(
  path: ConfigPath,
  sources: readonly { readonly name: string; readonly from?: readonly string[] | undefined }[],
): Iterable<CrossMistake> {
  const sourceOfName = new Map<string, number>()
  for (const [index, { name, from }] of sources.entries()) {
    const earlier = sourceOfName.get(name)
    if (earlier !== undefined) {
      yield {
        path: [...path, index, 'name'],
        found: `${describeFound(name)}, the name of ${path.join('.')}[${earlier}] too`,
        expected: `a name of its own for each ${path[0] === 'trunk' ? 'route' : 'peer'}`,
      }
    }
    sourceOfName.set(name, index)
    for (const [place, block] of (from ?? []).entries()) {
      if (isAddressBlock(block)) continue
      yield {
        path: [...path, index, 'from', place],
        found: describeFound(block),
        expected: 'an address or a block, as 192.0.2.0/24 or 2001:db8::/32',
      }
    }
  }
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
