import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ConfigError, loadConfig } from '../../config/load-config.ts'

function load(t: Test, yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-door-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'secret'), 'of-the-file\n')
  const file = join(folder, 'tallenne.yaml')
  writeFileSync(file, yaml)
  try {
    return loadConfig(file, {})
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.mistakes.map(({ path }) => path)
  }
}

t.test('a peer’s password may stand in a file', async (t) => {
  const config = load(t, 'sip: { peers: [{ name: a, digest: { user: a, passwordFile: secret } }] }')
  t.match(config, { sip: { peers: [{ digest: { password: 'of-the-file' } }] } })
})

t.test('a secret or a configuration that never ends is no such file', async (t) => {
  const peer = 'sip: { peers: [{ name: a, digest: { user: a, passwordFile: /dev/zero } }] }'
  t.match(load(t, peer), ['sip.peers[0].digest.passwordFile'])
  t.throws(() => loadConfig('/dev/zero', {}), { code: 'config_invalid' })
})

t.test('a peer that nothing tells, and two with one user, are mistakes', async (t) => {
  const peers = `sip:
  peers:
    - { name: nobody }
    - { name: a, digest: { user: same, password: x } }
    - { name: b, digest: { user: same, password: y } }
  guard: { neverBan: [192.0.2.0/99] }
`
  t.same(load(t, peers), ['sip.peers[0]', 'sip.peers[2].digest.user', 'sip.guard.neverBan[0]'])
})

t.test(
  'names need an address that asks for certificates, and credentials the embedded server',
  async (t) => {
    t.same(load(t, 'siprec: { peers: [{ name: a, tlsNames: [sbc.example.com] }] }'), [
      'siprec.peers[0].tlsNames',
    ])
    const drachtio = `sip:
  drachtio: [{ host: 127.0.0.1, secret: x }]
  peers: [{ name: a, digest: { user: a, password: b } }]
`
    t.same(load(t, drachtio), ['sip.peers[0].digest'])
  },
)
