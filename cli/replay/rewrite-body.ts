import { isIPv6 } from 'node:net'
import { canonicalAddress } from './capture/ip-packet.ts'

export interface LocalPorts {
  /** This machine's address, as the gateway reaches it. */
  readonly address: string
  /** The port that stands for a captured one of the m-line at an index, counted over all m-lines. */
  readonly portFor: (index: number, captured: { address: string; port: number }) => number
  /** That of its RTCP. */
  readonly controlPortFor: (index: number) => number
}

const UNSPECIFIED = new Set(['0.0.0.0', '::'])

/**
 * A body with the description in it pointing to this machine: addresses of `c=` lines, ports of `m=` and `a=rtcp` ones,
 * and no ICE candidates. All else stays as it is, metadata too. A held stream stays held.
 */
export function rewriteBody(body: string, local: LocalPorts): string {
  const lines = body.split(/(?<=\n)/)
  const addresses = mediaAddresses(lines)
  const family = isIPv6(local.address) ? 'IP6' : 'IP4'
  let index = -1
  const rewritten = lines.flatMap((line) => {
    const media = /^m=(\S+) (\d{1,5})(?=[ /])/.exec(line)
    if (media) {
      index++
      const [whole, kind = '', port = ''] = media
      if (port === '0' || kind !== 'audio') return [line]
      const captured = { address: addresses[index] ?? '', port: Number(port) }
      return [`m=${kind} ${local.portFor(index, captured)}${line.slice(whole.length)}`]
    }
    const connection = /^c=IN IP[46] ([^\s/]+)/.exec(line)
    if (connection && !UNSPECIFIED.has(canonicalAddress(connection[1] ?? ''))) {
      return [`c=IN ${family} ${local.address}${endOf(line)}`]
    }
    if (index >= 0 && /^a=rtcp:\d/.test(line)) {
      return [`a=rtcp:${local.controlPortFor(index)}${endOf(line)}`]
    }
    return /^a=(candidate|ice-|end-of-candidates)/.test(line) ? [] : [line]
  })
  return rewritten.join('')
}

/** The connection address of each m-line: its own, else the session's. */
function mediaAddresses(lines: readonly string[]): string[] {
  let session = ''
  const addresses: string[] = []
  for (const line of lines) {
    if (/^m=\S+ \d/.test(line)) addresses.push(session)
    const address = /^c=IN IP[46] ([^\s/]+)/.exec(line)?.[1]
    if (address === undefined) continue
    if (addresses.length === 0) session = address
    else addresses[addresses.length - 1] = address
  }
  return addresses
}

function endOf(line: string): string {
  return /\r?\n$/.exec(line)?.[0] ?? ''
}
