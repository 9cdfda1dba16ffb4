import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { ConfigError, loadConfig } from '../../config/load-config.ts'

const folder = t.testdir({
  'db.secret': 'two words: and a colon\nsecond line\n',
  'empty.secret': '',
})

function write(yaml: string): string {
  const file = join(folder, 'tallenne.yaml')
  writeFileSync(file, yaml)
  return file
}

function mistakesOf(yaml: string, env: NodeJS.ProcessEnv = {}): string[] {
  const file = write(yaml)
  try {
    loadConfig(file, env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.mistakes.map(
      ({ source, line, path, found, expected }) =>
        `${source === file ? 'file' : source}:${line ?? '-'} ${path} | ${found ?? '-'} | ${expected}`,
    )
  }
  return []
}

t.test('without a file and variables the defaults hold', async (t) => {
  const config = loadConfig(undefined, {})
  t.equal(config.http.portal.port, 8080)
  t.equal(config.serviceLines[0]?.name, 'asiakastuki')
  t.equal(config.dataPath, join(process.cwd(), 'data'))
})

t.test('a file overrides the defaults, and its folder is where dataPath starts', async (t) => {
  const config = loadConfig(write('dataPath: store\nmedia: {holdBackMs: 300}\n'), {})
  t.equal(config.dataPath, join(folder, 'store'))
  t.equal(config.media.holdBackMs, 300)
  t.equal(config.media.ports.from, 20_000)
})

t.test('TALLENNE_CONFIG names the file where nobody else does', async (t) => {
  const config = loadConfig(undefined, { TALLENNE_CONFIG: write('node: {id: north-1}') })
  t.equal(config.node.id, 'north-1')
})

t.test('variables override the file, also within lists and as lists', async (t) => {
  const config = loadConfig(
    write('sip:\n  listen:\n    - {transport: udp, host: 127.0.0.1, port: 5060}\n'),
    {
      TALLENNE_SIP__LISTEN__0__PORT: '5080',
      TALLENNE_SIP__SESSION_TIMER__EXPIRES_S: '600',
      TALLENNE_MEDIA__SKIPS_QUIET: 'false',
      TALLENNE_DATABASE__PASSWORD: '0123',
      TALLENNE_SERVICE_LINES:
        '[{name: tuki, numbers: [+12025550102], period: null, timeZone: Europe/Helsinki}]',
    },
  )
  t.strictSame(config.sip.listen, [{ transport: 'udp', host: '127.0.0.1', port: 5080 }])
  t.equal(config.sip.sessionTimer.expiresS, 600)
  t.equal(config.media.skipsQuiet, false)
  t.equal(config.database.password, '0123')
  t.equal(config.serviceLines[0]?.period, null)
})

t.test('a text is what is written, even where YAML reads a number', async (t) => {
  const config = loadConfig(
    write(
      'database: {user: 0800}\nserviceLines: [{name: a, numbers: [+12025550100], period: P2M}]',
    ),
    {},
  )
  t.equal(config.database.user, '0800')
  t.strictSame(config.serviceLines[0]?.numbers, ['+12025550100'])
})

t.test('a secret’s file is bounded by its bytes', async (t) => {
  const secret = 'ä'.repeat(2048)
  writeFileSync(join(folder, 'long.secret'), secret)
  const yaml = 'database: {passwordFile: long.secret}'
  t.equal(loadConfig(write(yaml), {}).database.password, secret)
  writeFileSync(join(folder, 'long.secret'), `${secret}\nand a long text below`)
  t.equal(loadConfig(write(yaml), {}).database.password, secret)
  writeFileSync(join(folder, 'long.secret'), `${secret}.`)
  for (const file of ['long.secret', '/dev/zero']) {
    const [mistake] = mistakesOf(`database: {passwordFile: ${file}}`)
    t.match(
      mistake,
      'database.passwordFile | - | a file with the secret in its first line, of at most 4096 bytes',
    )
  }
})

t.test('a secret comes from the first line of its file', async (t) => {
  const config = loadConfig(write('database: {passwordFile: db.secret}'), {})
  t.equal(config.database.password, 'two words: and a colon')
})

const oneMistake = [
  ['a: &x [*x]', 'file:- ', 'no aliases (*name)'],
  ['- 1', 'file:1 ', 'found a list'],
  ['node: {id: a}\nnode: {id: b}', 'file:2 ', 'Map keys must be unique'],
  ['node:\n  id: [', 'file:2 ', 'valid YAML'],
  ['node:\n  idd: x', 'file:2 node.idd', 'id, perhaps'],
  ['medai: {}', 'file:1 medai', 'media, perhaps'],
  ['zzz: 1', 'file:1 zzz', 'one of node, dataPath'],
  ['media:\n  holdBackMs: 5', 'file:2 media.holdBackMs', '5 | at least 100'],
  ['media:\n  holdBackMs: soon', 'file:2 media.holdBackMs', '"soon" | a number'],
  ['media:\n  engines: 1.5', 'file:2 media.engines', '1.5 | a whole number'],
  ['media:\n  skipsQuiet: 1', 'file:2 media.skipsQuiet', '1 | true or false'],
  ['media: 12', 'file:1 media', '12 | a mapping of keys'],
  ['log:\n  level: loud', 'file:2 log.level', '"loud" | one of debug, info, warn, error'],
  ['identification:\n  region: FIN', 'file:2 identification.region', 'exactly 2 characters'],
  ['sip:\n  listen: []', 'file:2 sip.listen', 'an empty list | at least 1 entry'],
  ['sip:\n  listen:\n    - udp', 'file:3 sip.listen[0]', '"udp" | a mapping of keys'],
  ['dataPath: ""', 'file:1 dataPath', 'at least 1 character'],
  ['database:\n  password: [1]', 'file:2 database.password', '- | a text'],
  ['database:\n  passwordFile: no.secret', 'file:2 database.passwordFile', 'can be read'],
  ['database:\n  passwordFile: empty.secret', 'database.passwordFile', 'in its first line'],
  ['database: {password: a, passwordFile: db.secret}', 'passwordFile', 'not both'],
  ['sip:\n  sessionTimer:\n    minS: 1801', 'file:3 sip.sessionTimer.minS', 'which is 1800'],
  ['media:\n  ports: {from: 30000, to: 30001}', 'file:2 media.ports.to', 'at least 30003'],
  ['media: {ports: {from: 5000}}', 'sip.listen[0].port', 'a port outside of them'],
  ['http:\n  portal: {host: 127.0.0.1, port: 8081}', 'http.gateway.port', 'which is http.portal'],
  ['catchAll:\n  timeZone: Europe/Helsinky', 'file:2 catchAll.timeZone', 'as Europe/Helsinki'],
  ['catchAll:\n  name: asiakastuki', 'serviceLines[0].name', 'which is catchAll.name'],
] as const

for (const [yaml, where, what] of oneMistake) {
  t.test(`${JSON.stringify(yaml)} is one mistake, told with its place`, async (t) => {
    const mistakes = mistakesOf(yaml)
    t.equal(mistakes.length, 1)
    const told = mistakes[0] ?? ''
    t.ok(told.includes(where), told)
    t.ok(told.includes(what.replace('found ', '')), told)
  })
}

t.test('all mistakes are told at once, lines against each other too', async (t) => {
  const line = (name: string, number: string) =>
    `  - {name: ${name}, numbers: [${number}], period: P2M}`
  const mistakes = mistakesOf(
    [
      'medai: {}',
      'serviceLines:',
      line('a', '+12025550100'),
      line('b', '+12025550100'),
      line('b', '+12025550101'),
      '  - {name: C, numbers: [12], period: 60d, timeZone: Mars/Base}',
      'http: {portal: {host: 127.0.0.1, port: 99999}}',
    ].join('\n'),
    { TALLENNE_NODE__ID: 'no spaces', TALLENNE_MEDIA__HOLD_BACK_MS: '1' },
  )
  t.strictSame(
    mistakes.map((mistake) => mistake.split(' | ')[0]),
    [
      'file:1 medai',
      'TALLENNE_NODE__ID:- node.id',
      'TALLENNE_MEDIA__HOLD_BACK_MS:- media.holdBackMs',
      'file:6 serviceLines[3].name',
      'file:6 serviceLines[3].numbers[0]',
      'file:6 serviceLines[3].period',
      'file:7 http.portal.port',
      'file:4 serviceLines[1].numbers[0]',
      'file:5 serviceLines[2].name',
      'file:6 serviceLines[3].timeZone',
    ],
  )
})

t.test('an unknown variable is told, a blocked one too', async (t) => {
  t.match(mistakesOf('', { TALLENNE_MEDAI__X: '1' }), [
    /TALLENNE_MEDAI__X:- medai .*media, perhaps/,
  ])
  t.match(mistakesOf('node: 1', { TALLENNE_NODE__ID: 'a' }), [
    /node to hold keys/,
    /mapping of keys/,
  ])
})

t.test('a file that is missing, a folder or too large is told', async (t) => {
  t.throws(
    () => loadConfig(join(folder, 'none.yaml'), {}),
    /none\.yaml: expected a file that can be/,
  )
  t.throws(() => loadConfig(folder, {}), { code: 'config_invalid' })
  t.throws(() => loadConfig(write('#'.repeat(300_000)), {}), /at most 262144/)
})

t.test('deep nesting and a __proto__ key are mistakes, not crashes', async (t) => {
  t.throws(() => loadConfig(write('['.repeat(100_000)), {}), { code: 'config_invalid' })
  t.throws(() => loadConfig(write('__proto__: {polluted: 1}'), {}), { code: 'config_invalid' })
  t.throws(() => loadConfig(undefined, { TALLENNE___PROTO____POLLUTED: '1' }), {
    code: 'config_invalid',
  })
  t.equal(Reflect.get({}, 'polluted'), undefined)
})

t.test('any text is a configuration or a config_invalid', async () => {
  const outcome = (yaml: string) => {
    const file = write(yaml)
    try {
      loadConfig(file, {})
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
    }
  }
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), outcome), { numRuns: 300 })
  const whole =
    'sip:\n  listen:\n    - {transport: udp, host: 127.0.0.1, port: 5060}\nnode: {id: "a"}\n'
  for (let length = 0; length < whole.length; length++) outcome(whole.slice(0, length))
})

t.test('a trunk’s mistakes are told with their places', (t) => {
  const file = join(t.testdir(), 'tallenne.yaml')
  const target = "targets: [{ uri: 'sip:192.0.2.20' }]"
  writeFileSync(
    file,
    [
      'trunk:',
      '  routes:',
      `    - { name: a, from: [192.0.2.0/33], ${target} }`,
      `    - { name: a, ${target} }`,
      '',
    ].join('\n'),
  )
  t.throws(() => loadConfig(file, {}), {
    code: 'config_invalid',
    message: /trunk\.routes\[0\]\.from\[0\][\s\S]*trunk\.routes\[1\]\.name/,
  })
  t.end()
})

t.test('an announcement of a service line is that of one that there is', async (t) => {
  const route = (line: string) =>
    `trunk: { routes: [{ name: a, targets: [{ uri: 'sip:192.0.2.20' }], announcement: { lines: { ${line}: [a.wav] } } }] }`
  t.match(mistakesOf(route('support'))[0], /trunk\.routes\[0\]\.announcement\.lines\.support \|/)
  t.same(mistakesOf(route('asiakastuki')), [])
})

t.test('mistakes about FreeSWITCH are told with their places', (t) => {
  const file = join(t.testdir(), 'tallenne.yaml')
  const mistakesOf = (...lines: readonly string[]) => {
    writeFileSync(file, [...lines, ''].join('\n'))
    try {
      loadConfig(file, {})
      return []
    } catch (error) {
      return error instanceof ConfigError ? error.mistakes.map(({ path }) => path) : [error]
    }
  }
  const route =
    "trunk: { routes: [{ name: a, media: freeswitch, targets: [{ uri: 'sip:192.0.2.20' }] }] }"
  const server = '{ name: a, host: 192.0.2.21, password: x }'
  const withForks = (forks: string, servers = server) =>
    mistakesOf(
      route,
      `media: { engines: 4, freeswitch: { servers: [${servers}], forks: ${forks} } }`,
    )
  t.same(mistakesOf(route), ['trunk.routes[0].media'])
  const peer = (from: string) =>
    `siprec: { peers: [{ name: a, from: [${from}], media: freeswitch }] }`
  t.same(mistakesOf(peer('192.0.2.0/24')), ['siprec.peers[0].media'])
  t.same(mistakesOf(peer('192.0.2.0/33')), ['siprec.peers[0].media', 'siprec.peers[0].from[0]'])
  t.same(mistakesOf('siprec: { peers: [{ name: a }, { name: a }] }'), ['siprec.peers[1].name'])
  t.same(withForks('{}'), [])
  t.same(withForks('{ host: 0.0.0.0, advertisedAddress: media.example.com }'), [])
  t.same(withForks('{}', `${server}, ${server}`), ['media.freeswitch.servers[1].name'])
  t.same(withForks('{ host: 0.0.0.0 }'), ['media.freeswitch.forks.advertisedAddress'])
  t.same(withForks("{ host: '2001:db8::1' }"), ['media.freeswitch.forks.host'])
  t.same(withForks('{ port: 65533 }'), ['media.freeswitch.forks.port'])
  t.end()
})
