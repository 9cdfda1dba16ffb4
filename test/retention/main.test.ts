import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { RecordingStore } from '../../storage/recording-store.ts'
import { currentPolicies } from '../../storage/service-lines.ts'
import { freePort } from '../free-port.ts'
import { startMariadb } from '../mariadb.ts'
import { metricValue } from '../metrics-text.ts'
import { applyEntries } from '../storage/apply.ts'
import { HungMount } from '../storage/disk/hung-mount.ts'
import { wholeCall } from '../storage/journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

async function run(t: Test, folder: string, database: unknown = mariadb.settings) {
  const config = join(folder, 'tallenne.yaml')
  const http = { retention: { host: '127.0.0.1', port: await freePort() } }
  const retention = { sweepEveryS: 1 }
  writeFileSync(
    config,
    stringify({ dataPath: '.', database, http, retention, disks: { hungAfterS: 1 } }),
  )
  const main = fileURLToPath(new URL('../../retention/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code))
  })
  return { child, ended, lines: logLines(child) }
}

/** Log lines as they come; `find` waits for one with the message, for such a reason. */
function logLines(child: ChildProcess) {
  const lines: { msg: string; [field: string]: unknown }[] = []
  let rest = ''
  let changed = () => {}
  child.stdout?.on('data', (chunk: Buffer) => {
    const texts = (rest + chunk.toString()).split('\n')
    rest = texts.pop() ?? ''
    lines.push(...texts.map((text) => JSON.parse(text)))
    changed()
  })
  child.once('close', () => changed())
  return {
    find: async (msg: string, reason = /(?:)/) => {
      for (;;) {
        const line = lines.find((one) => one.msg === msg && reason.test(String(one['reason'])))
        if (line) return line
        if (child.exitCode !== null) throw new Error(`ended: ${JSON.stringify(lines)}`)
        await new Promise<void>((resolve) => {
          changed = resolve
        })
      }
    },
  }
}

t.test(
  'the daemon waits for its store, works, tells so over HTTP, and ends at SIGTERM',
  async (t) => {
    const folder = t.testdir()
    const { child, ended, lines } = await run(t, folder)
    const { host, port } = await lines.find('retention listens')
    const url = `http://${host}:${port}`
    t.equal((await fetch(`${url}/healthz`)).status, 200)
    t.match(await lines.find('retention waits'), { reason: /no recording store/ })
    const notReady = await fetch(`${url}/readyz`)
    t.equal(notReady.status, 503)
    t.match(await notReady.json(), {
      checks: [
        { name: 'database', ready: true },
        { name: 'store', ready: false },
      ],
    })
    await new RecordingStore({
      spoolPath: join(folder, 'spool'),
      storePath: join(folder, 'recordings'),
    }).prepare()
    await lines.find('retention is at work')
    t.equal((await fetch(`${url}/readyz`)).status, 200)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    t.equal(metricValue(metrics, 'tallenne_retention_sweeps_total{result="failed"}'), 0)
    t.match([...(await currentPolicies(mariadb.pool())).keys()].sort(), [
      'asiakastuki',
      'puhelunvalitys',
      'tunnistamaton',
    ])
    child.kill('SIGTERM')
    t.equal(await ended, 0)
  },
)

t.test(
  'a store that hangs holds up neither the start nor the rest of the work',
  { skip: (await HungMount.obstacle()) ?? false },
  async (t) => {
    const folder = t.testdir()
    const storePath = join(folder, 'recordings')
    await new RecordingStore({ spoolPath: join(folder, 'spool'), storePath }).prepare()
    const call = wholeCall()
    await applyEntries(mariadb.settings, call.entries.slice(0, -1))
    const hung = await HungMount.over(t, storePath)
    const { child, ended, lines } = await run(t, folder)
    const { host, port } = await lines.find('retention listens')
    await lines.find('retention waits', /does not answer/)
    // More than the threads that all file calls of Node's own share.
    for (let count = 0; count < 6; count++) {
      const answer = await fetch(`http://${host}:${port}/readyz`)
      t.match(await answer.json(), {
        checks: [
          { name: 'database', ready: true },
          { name: 'store', ready: false, reason: /no answer|does not answer/ },
        ],
      })
    }
    t.match(await lines.find('calls, rows and files do not agree'), { subject: call.contactId })
    await hung.end()
    await lines.find('retention is at work')
    child.kill('SIGTERM')
    t.equal(await ended, 0)
  },
)

t.test(
  'a store that hangs does not hold up the end',
  { skip: (await HungMount.obstacle()) ?? false },
  async (t) => {
    const folder = t.testdir()
    const storePath = join(folder, 'recordings')
    await new RecordingStore({ spoolPath: join(folder, 'spool'), storePath }).prepare()
    const hung = await HungMount.over(t, storePath)
    const { child, ended, lines } = await run(t, folder)
    await lines.find('retention waits', /does not answer/)
    child.kill('SIGTERM')
    t.equal(await ended, null, 'its thread hangs, so that it ends itself')
    // Before the test's folder is removed.
    await hung.end()
  },
)

t.test('the daemon lives while MariaDB is away, and ends at SIGTERM', async (t) => {
  const { child, ended, lines } = await run(t, t.testdir(), { socketPath: '/nonexistent.sock' })
  t.match(await lines.find('retention waits'), { reason: /./ })
  child.kill('SIGTERM')
  t.equal(await ended, 0)
})

t.test('a configuration that is wrong ends the daemon with what is wrong', async (t) => {
  const { ended, lines } = await run(t, t.testdir(), { port: 'x' })
  t.match(await lines.find('retention cannot start'), {
    code: 'config_invalid',
    reason: /database\.port/,
  })
  t.equal(await ended, 1)
})
