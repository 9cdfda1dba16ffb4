import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../free-port.ts'

const MAIN = join(import.meta.dirname, '..', '..', '..', 'cli', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'tallenne-demo-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const dataPath = join(folder, 'data')

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(...words: string[]): { child: ChildProcess; said(): string; ended: Promise<Ended> } {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('TALLENNE_')),
  )
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: folder, env })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out, err }))
  return { child, said: () => out, ended }
}

const run = (...words: string[]) => start(...words).ended

t.test('the demonstration records a call whole, and says so', async (t) => {
  const { code, out, err } = await run('demo', '--once', '--data', dataPath)
  t.equal(err, '')
  t.equal(code, 0, out)
  t.match(out, /caller [█·]{16} {2}agent [█·]{16}/)
  t.match(out, / {2}caller +\+12025550147\n/)
  t.match(out, / {2}service line +asiakastuki\n/)
  t.match(out, / {2}agent +4001\n/)
  t.match(out, / {2}verdict +complete\n/)
  t.match(out, / {2}channels +2 in 2 Opus streams, uncoupled \(mapping family 1\)\n/)
  t.match(out, /will be deleted/)
  t.match(out, /ended\n$/)
})

t.test(
  'what was recorded is found, fetched and explained while up runs, and up ends at SIGTERM',
  async (t) => {
    const configPath = join(folder, 'tallenne.yaml')
    const listen = `{transport: udp, host: 127.0.0.1, port: ${await freePort()}}`
    writeFileSync(configPath, `sip: {listen: [${listen}]}\n`)
    const http = `127.0.0.1:${await freePort()}`
    const up = start('up', '--config', configPath, '--data', dataPath, '--http', http)
    t.teardown(() => up.child.kill('SIGKILL'))
    await Promise.race([
      up.ended,
      (async () => {
        while (!up.said().includes('\nready\n')) await once(up.child.stdout ?? up.child, 'data')
      })(),
    ])
    t.match(up.said(), new RegExp(`HTTP +http://${http}/\n`))

    const there = ['--data', dataPath]
    const second = await run('up', ...there)
    t.equal(second.code, 2)
    t.match(second.err, /^tallenne: .* is in use by another tallenne up \(process \d+\)/)

    const contacts = await run('contacts', '--caller', '+12025550147', '--json', ...there)
    const page: { items: { id: string; recordings: { id: string; bytes: number }[] }[] } =
      JSON.parse(contacts.out)
    t.equal(page.items.length, 1)
    const recording = page.items[0]?.recordings[0]
    const id = recording?.id ?? ''
    t.match(await run('contacts', ...there), { code: 0, out: /\+12025550147 {2}asiakastuki/ })
    t.match(await run('recordings', 'verdict', id, ...there), { code: 0, out: 'complete\n' })
    t.match(await run('recordings', 'show', id, ...there), { code: 0, out: /verdict +complete/ })
    const output = join(folder, 'call.opus')
    t.match(await run('recordings', 'get', id, '-o', output, ...there), { code: 0 })
    t.equal(readFileSync(output).length, recording?.bytes)
    t.match(await run('retention', 'explain', id, '--lang', 'fi', ...there), {
      code: 0,
      out: /Palvelulinja|palvelulinja/,
    })
    t.match(await run('retention', 'sweep', '--dry-run', '--json', ...there), { code: 0 })
    t.match(await run('contacts', 'no-such-id', ...there), {
      code: 2,
      err: /^tallenne: There is no contact/,
    })
    t.match(await run('doctor', ...there), { out: /ok +gateway +ready/ })

    up.child.kill('SIGTERM')
    const { code, out } = await up.ended
    t.equal(code, 0)
    t.match(out, /ended\n$/)
    t.match(await run('contacts', ...there), {
      code: 2,
      err: /^tallenne: The portal does not answer at/,
    })
  },
)

t.test('a start that cannot succeed ends with one sentence', async (t) => {
  const configPath = join(folder, 'wrong.yaml')
  writeFileSync(configPath, 'sip:\n  listen: 5060\n')
  const wrong = await run('up', '--config', configPath)
  t.match(wrong, {
    code: 2,
    out: '',
    err: /wrong\.yaml:2 sip\.listen: found 5060, expected a list\.\n$/,
  })
  writeFileSync(configPath, 'database: {host: 127.0.0.1, port: 1}\n')
  const away = await run(
    'up',
    '--config',
    configPath,
    '--data',
    join(folder, 'away'),
    '--sip',
    `127.0.0.1:${await freePort()}`,
    '--http',
    `127.0.0.1:${await freePort()}`,
  )
  t.match(away, {
    code: 2,
    err: /^tallenne: MariaDB does not answer for database tallenne [^\n]*\n$/,
  })
})
