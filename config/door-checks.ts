import { isAddressBlock } from './address-block.ts'
import type { Config } from './config.ts'
import { type ConfigPath, type CrossMistake, describeFound } from './mistake.ts'

/** Who may call, against what can be known of a caller. */
export function* checkDoor(config: Partial<Config>): Iterable<CrossMistake> {
  const { sip } = config
  if (!sip) return
  const userOf = new Map<string, number>()
  for (const [index, { from, tlsNames, digest }] of sip.peers.entries()) {
    const path = ['sip', 'peers', index]
    if (from === undefined && tlsNames === undefined && digest === undefined) {
      yield {
        path,
        found: 'nothing that a caller is known by',
        expected: 'from, tlsNames or digest; sip.strangers: take lets everybody in',
      }
    }
    if (digest === undefined) continue
    if (sip.drachtio !== undefined) {
      yield {
        path: [...path, 'digest'],
        found: 'credentials, and calls come through drachtio servers',
        expected: 'from alone, since the embedded server challenges and a drachtio server does not',
      }
    }
    const earlier = userOf.get(digest.user)
    if (earlier !== undefined) {
      yield {
        path: [...path, 'digest', 'user'],
        found: `${describeFound(digest.user)}, the user of sip.peers[${earlier}] too`,
        expected: 'a user of its own for each peer',
      }
    }
    userOf.set(digest.user, index)
  }
  for (const [index, block] of sip.guard.neverBan.entries()) {
    if (isAddressBlock(block)) continue
    yield {
      path: ['sip', 'guard', 'neverBan', index],
      found: describeFound(block),
      expected: 'an address or a block, as 192.0.2.0/24 or 2001:db8::/32',
    }
  }
  yield* checkNames(config)
}

/** Names are told by certificates that somebody asks for. */
function* checkNames({ sip, siprec, trunk }: Partial<Config>): Iterable<CrossMistake> {
  const isAsked = sip?.listen.some(
    ({ tls }) => tls !== undefined && tls.clientCertificate !== 'none',
  )
  if (isAsked && sip?.drachtio === undefined) return
  const lists: readonly (readonly [ConfigPath, readonly { readonly tlsNames?: unknown }[]])[] = [
    [['sip', 'peers'], sip?.peers ?? []],
    [['siprec', 'peers'], siprec?.peers ?? []],
    [['trunk', 'routes'], trunk?.routes ?? []],
  ]
  for (const [path, entries] of lists) {
    for (const [index, { tlsNames }] of entries.entries()) {
      if (tlsNames === undefined) continue
      yield {
        path: [...path, index, 'tlsNames'],
        found: 'names, and no address of sip.listen that asks for certificates',
        expected: 'a tls address with clientCertificate: request or require',
      }
    }
  }
}
