import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { newId } from '../../base/uuid.ts'
import { migrate } from '../../storage/migrate.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { freePort } from '../free-port.ts'
import { startMariadb } from '../mariadb.ts'
import { applyEntries } from '../storage/apply.ts'
import { HungMount } from '../storage/disk/hung-mount.ts'
import { wholeCall } from '../storage/journal-entries.ts'
import { until } from '../until.ts'

const MAIN = fileURLToPath(new URL('../../portal/main.js', import.meta.url))

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
await migrate(mariadb.pool())

/** A portal process with a configuration of its own; ended by the test's teardown if by nothing else. */
async function startProcess(t: Test) {
  const folder = t.testdir()
  const dataPath = join(folder, 'data')
  const storePath = join(dataPath, 'recordings')
  const store = new RecordingStore({ spoolPath: join(dataPath, 'spool'), storePath })
  const { port: _, connections: __, ...database } = mariadb.settings
  const portalPort = await freePort()
  const config = join(folder, 'tallenne.yaml')
  writeFileSync(
    config,
    stringify({
      dataPath,
      database,
      disks: { hungAfterS: 1 },
      http: { portal: { host: '127.0.0.1', port: portalPort } },
    }),
  )
  return {
    url: `http://127.0.0.1:${portalPort}`,
    portalPort,
    tokenPath: join(dataPath, 'admin.token'),
    store,
    storePath,
    start: () => run(t, ['--config', config]),
  }
}

function run(t: Test, args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, output, errors }))
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { ended, stop: (signal: NodeJS.Signals) => child.kill(signal), output: () => output }
}

async function answerOf(url: string, token = ''): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` }
  return until(() => fetch(url, { headers }).catch(() => undefined), 25)
}

t.test('the process makes a token, serves with it, and ends in order at SIGTERM', async (t) => {
  const { url, tokenPath, store, start } = await startProcess(t)
  await store.prepare()
  const portal = start()
  t.equal((await answerOf(`${url}/readyz`)).status, 200)
  t.equal(statSync(tokenPath).mode & 0o777, 0o600)
  const token = readFileSync(tokenPath, 'utf8').trim()
  const answer = await answerOf(`${url}/api/contacts`, token)
  t.equal(answer.status, 200)
  t.same(await answer.json(), { items: [], nextCursor: null })
  const lines: { items: { name: string }[] } = JSON.parse(
    await (await answerOf(`${url}/api/service-lines`, token)).text(),
  )
  t.same(
    lines.items.map(({ name }) => name),
    ['asiakastuki', 'puhelunvalitys', 'tunnistamaton'],
  )
  portal.stop('SIGTERM')
  const { code, output, errors } = await portal.ended
  t.equal(code, 0)
  t.equal(errors, '')
  t.match(output, /portal listens.*portal stops.*portal stopped/s)
  t.notMatch(output, token)
})

t.test('without store or database it is alive and says why it is not ready', async (t) => {
  const { url, start } = await startProcess(t)
  await mariadb.stop()
  t.teardown(() => mariadb.start())
  const portal = start()
  t.equal((await answerOf(`${url}/healthz`)).status, 200)
  const ready = await answerOf(`${url}/readyz`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), {
    checks: [
      { name: 'database', ready: false },
      { name: 'store', ready: false, reason: /no recording store in / },
    ],
  })
  portal.stop('SIGINT')
  t.equal((await portal.ended).code, 0)
})

t.test(
  'a store that hangs holds up nothing but what is in it',
  { skip: (await HungMount.obstacle()) ?? false },
  async (t) => {
    const { url, tokenPath, store, storePath, start } = await startProcess(t)
    await store.prepare()
    const recordingId = newId()
    const call = wholeCall({}, { recordingId, file: storeFileOf(recordingId) })
    await applyEntries(mariadb.settings, call.entries)
    const hung = await HungMount.over(t, storePath)
    const portal = start()
    // More than the threads that all file calls of Node's own share.
    for (let count = 0; count < 6; count++) {
      const ready = await answerOf(`${url}/readyz`)
      t.match(await ready.json(), {
        checks: [{ ready: true }, { ready: false, reason: /no answer|does not answer/ }],
      })
    }
    const token = readFileSync(tokenPath, 'utf8').trim()
    const audio = await answerOf(`${url}/api/recordings/${recordingId}/audio`, token)
    t.equal(audio.status, 500)
    t.match(await audio.json(), { code: 'file_unreadable' })
    t.equal((await answerOf(`${url}/api/contacts`, token)).status, 200)
    await hung.end()
    await until(async () => (await answerOf(`${url}/readyz`)).ok, 50)
    portal.stop('SIGTERM')
    t.equal((await portal.ended).code, 0)
  },
)

t.test('a token that others may read, and a port that is taken, end the start', async (t) => {
  const first = await startProcess(t)
  const running = first.start()
  await answerOf(`${first.url}/healthz`)
  const second = await first.start().ended
  t.equal(second.code, 1)
  t.match(second.errors, new RegExp(`^HTTP port ${first.portalPort} of 127.0.0.1 is in use`))
  running.stop('SIGTERM')
  await running.ended

  chmodSync(first.tokenPath, 0o644)
  const refused = await first.start().ended
  t.equal(refused.code, 1)
  t.match(refused.errors, /^The admin token .* can be read by others \(mode 0644\)/)
})

t.test('a configuration that is not there ends the start', async (t) => {
  const { code, errors } = await run(t, ['--config', '/nonexistent/tallenne.yaml']).ended
  t.equal(code, 1)
  t.match(errors, '/nonexistent/tallenne.yaml')
  const unknown = await run(t, ['--nonsense']).ended
  t.equal(unknown.code, 1)
  t.match(unknown.errors, '--nonsense')
})
