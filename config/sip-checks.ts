import type { Config } from './config.ts'
import type { ConfigPath, CrossMistake } from './mistake.ts'
import type { SipListen } from './sip-config.ts'

/** SIP's values against each other. */
export function* checkSip({ sip }: Partial<Config>): Iterable<CrossMistake> {
  if (!sip) return
  const { minS, expiresS } = sip.sessionTimer
  if (minS > expiresS) {
    yield {
      path: ['sip', 'sessionTimer', 'minS'],
      found: String(minS),
      expected: `at most sip.sessionTimer.expiresS, which is ${expiresS}`,
    }
  }
  const taken = new Map<string, number>()
  for (const [index, listen] of sip.listen.entries()) {
    const { transport, host, port } = listen
    // TLS lies on TCP, so that the two take each other's ports.
    const address = `${transport === 'udp' ? 'udp' : 'tcp'} ${host}:${port}`
    const earlier = taken.get(address)
    if (earlier !== undefined) {
      yield {
        path: ['sip', 'listen', index],
        found: `${transport} ${host}:${port}, which is sip.listen[${earlier}] too`,
        expected: 'each address once',
      }
    }
    taken.set(address, index)
    yield* checkTls(['sip', 'listen', index], listen)
  }
}

function* checkTls(path: ConfigPath, { transport, tls }: SipListen): Iterable<CrossMistake> {
  if (transport === 'tls' && tls === undefined) {
    yield {
      path: [...path, 'tls'],
      found: 'nothing',
      expected: 'cert and key, since the transport is tls',
    }
  }
  if (tls === undefined) return
  if (transport !== 'tls') {
    const expected = 'tls only where the transport is tls'
    yield { path: [...path, 'tls'], found: `tls, and the transport ${transport}`, expected }
  }
  const { clientCertificate, clientNames, ca } = tls
  if (clientNames !== undefined && clientCertificate === 'none') {
    yield {
      path: [...path, 'tls', 'clientNames'],
      found: 'names, and no certificates that are asked for',
      expected: 'clientCertificate to be require, or request',
    }
  }
  if (clientCertificate === 'require' && ca === undefined && clientNames === undefined) {
    yield {
      path: [...path, 'tls', 'clientCertificate'],
      found: 'require, and neither ca nor clientNames',
      expected: 'one of them, since any public authority vouches for anybody',
    }
  }
}
