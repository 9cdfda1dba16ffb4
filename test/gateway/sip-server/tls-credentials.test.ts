import { writeFileSync } from 'node:fs'
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import {
  type LoadedCredentials,
  TlsCredentials,
} from '../../../gateway/sip-server/tls-credentials.ts'
import type { TlsSettings } from '../../../gateway/sip-server/tls-settings.ts'
import { ManualClock } from '../../manual-clock.ts'
import { until } from '../../until.ts'
import { replaceFiles, TestAuthority } from '../certificates.ts'
import { sipRequest } from './sip-text.ts'
import { StreamPeer } from './stream-peer.ts'
import { startServer } from './test-server.ts'

const authority = new TestAuthority(t)

function load(t: Test, settings: TlsSettings) {
  const loaded: LoadedCredentials[] = []
  const credentials = new TlsCredentials({
    settings,
    clock: new SystemClock(),
    log: createSilentLog(),
    onLoaded: (one) => loaded.push(one),
  })
  t.teardown(() => credentials.close())
  return { credentials, loaded }
}

t.test('a renewed certificate is taken when it is whole', async (t) => {
  const files = authority.issue(['DNS:old.example.com'], { days: 1 })
  const renewed = authority.issue(['DNS:new.example.com'], { days: 90 })
  const { credentials, loaded } = load(t, authority.settings(files))
  await credentials.start()
  await credentials.reload()
  t.equal(loaded.length, 1, 'what has not changed is not read again')
  const expiresAtMs = credentials.state.expiresAtMs ?? 0

  replaceFiles({ cert: files.cert, key: files.cert }, { cert: renewed.cert, key: renewed.cert })
  await credentials.reload()
  await credentials.reload()
  t.equal(loaded.length, 1)
  t.match(
    credentials.state,
    { expiresAtMs, reloads: 0, failedReloads: 1 },
    'the key is the old one',
  )

  replaceFiles(files, renewed)
  await credentials.reload()
  t.equal(loaded.length, 2)
  t.match(credentials.state, { reloads: 1, failedReloads: 1 })
  t.ok((credentials.state.expiresAtMs ?? 0) - expiresAtMs > 80 * 86_400_000)
})

t.test('files that are no certificate are told at the start, by their names', async (t) => {
  const files = authority.issue(['DNS:a.example.com'])
  writeFileSync(files.cert, 'nothing')
  for (const settings of [
    authority.settings(files),
    authority.settings({ ...files, cert: '/nonexistent' }),
  ]) {
    const { credentials } = load(t, settings)
    await t.rejects(credentials.start(), { code: 'tls_files', message: settings.certPath })
  }
  await t.rejects(startServer(t, { tls: authority.settings(files) }), { code: 'tls_files' })
})

t.test('new connections get the renewed certificate, and old ones live on', async (t) => {
  const clock = new ManualClock()
  const files = authority.issue(['DNS:old.example.com'])
  const { server, tlsPort } = await startServer(t, { clock, tls: authority.settings(files) })
  const old = await StreamPeer.openTls(tlsPort, { rejectUnauthorized: false })
  replaceFiles(files, authority.issue(['DNS:new.example.com']))
  clock.advance(10_000)
  await until(() => server.counters.certificates[0]?.reloads === 1)
  old.send(sipRequest({ method: 'OPTIONS', transport: 'TLS' }))
  t.match(await old.next(), / 503 /)
  old.close()
  const name = await new Promise((resolve) => {
    const socket = connect({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subjectaltname)
      socket.destroy()
    })
  })
  t.equal(name, 'DNS:new.example.com')
})
