import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { freePort } from '../../free-port.ts'

const HOST = '127.0.0.1'

async function untilReady(up: ChildProcess): Promise<void> {
  if (up.stdout === null) throw new Error('no output to read')
  let complaints = ''
  up.stderr?.on('data', (chunk) => {
    complaints += chunk
  })
  const lines = createInterface({ input: up.stdout })
  for await (const line of lines) if (line === 'ready') return
  throw new Error(`it ended without being ready: ${complaints}`)
}

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, HOST)
  const refused = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
  })
  socket.destroy()
  return refused
}

t.test('a reader of its output that goes away neither ends it nor what it runs', async (t) => {
  const sip = await freePort()
  const http = await freePort()
  // Short, since MariaDB's socket lies below it.
  const dataPath = mkdtempSync(join(tmpdir(), 'tallenne-up-'))
  t.teardown(() => rmSync(dataPath, { recursive: true, force: true }))
  const places = ['--data', dataPath, '--sip', `${HOST}:${sip}`, '--http', `${HOST}:${http}`]
  const up = spawn(process.execPath, ['build/cli/main.js', 'up', ...places], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => up.kill('SIGKILL'))
  const exited = once(up, 'exit')
  await untilReady(up)
  up.stdout.destroy()
  up.stderr.destroy()

  up.kill('SIGTERM')

  t.same(await exited, [0, null], 'it ends in order')
  t.equal(await isRefused(http), true, 'and the portal with it')
  t.equal(await isRefused(sip), true, 'and the gateway')
})
