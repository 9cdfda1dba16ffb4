import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, loadConfig } from '../../config/load-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallenne-sip-'))
t.teardown(() => rmSync(folder, { recursive: true }))

function load(yaml: string) {
  const file = join(folder, 'tallenne.yaml')
  writeFileSync(file, yaml)
  return loadConfig(file, {})
}

function mistakes(yaml: string): readonly string[] {
  try {
    load(yaml)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.mistakes.map(({ path }) => path)
  }
}

const listen = (...entries: readonly string[]) => `sip: { listen: [${entries.join(', ')}] }`
const udp = '{ transport: udp, host: 127.0.0.1, port: 5060 }'
const tls = (rest: string) => `{ transport: tls, host: 127.0.0.1, port: 5061, tls: { ${rest} } }`

t.test('files of TLS are found from the folder of the configuration', async (t) => {
  const { sip } = load(listen(udp, tls('cert: a.crt, key: /keys/a.key, ca: ca.crt')))
  t.same(sip.listen[1]?.tls, {
    cert: join(folder, 'a.crt'),
    key: '/keys/a.key',
    ca: join(folder, 'ca.crt'),
    clientCertificate: 'none',
    serverCertificate: 'name',
    minVersion: 'TLSv1.2',
  })
  t.equal(sip.listen[0]?.tls, undefined)
})

t.test('TLS is where the transport is, and nowhere else', async (t) => {
  const at = 'sip.listen[0].tls'
  t.same(mistakes(listen('{ transport: tls, host: 127.0.0.1, port: 5061 }')), [at])
  t.same(mistakes(listen(tls('cert: a, key: b').replace('tls,', 'tcp,'))), [at])
  t.same(mistakes(listen(tls('cert: a'))), [`${at}.key`])
  t.same(mistakes(listen(tls('cert: a, key: b, minVersion: TLSv1.1'))), [`${at}.minVersion`])
})

t.test('a certificate that anybody has proves nothing', async (t) => {
  const required = 'cert: a, key: b, clientCertificate: require'
  t.same(mistakes(listen(tls(required))), ['sip.listen[0].tls.clientCertificate'])
  t.same(mistakes(listen(tls(`${required}, ca: c`))), [])
  t.same(mistakes(listen(tls(`${required}, clientNames: [sbc.example.com]`))), [])
  t.same(mistakes(listen(tls('cert: a, key: b, clientNames: [sbc.example.com]'))), [
    'sip.listen[0].tls.clientNames',
  ])
})

t.test('TCP and TLS take the same ports', async (t) => {
  const tcp = '{ transport: tcp, host: 127.0.0.1, port: 5061 }'
  t.same(mistakes(listen(tcp, tls('cert: a, key: b'))), ['sip.listen[1]'])
  t.same(mistakes(listen(tcp.replace('tcp', 'udp'), tls('cert: a, key: b'))), [])
})

t.test('the other IP version is another one', async (t) => {
  const media = (other: string) =>
    `media: { bindAddress: 192.0.2.1, otherVersion: { bindAddress: ${other} } }`
  t.same(mistakes(media('"2001:db8::1"')), [])
  t.same(mistakes(media('192.0.2.2')), ['media.otherVersion.bindAddress'])
  t.same(mistakes(media('sbc.example.com')), ['media.otherVersion.bindAddress'])
})
