import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { isRunning } from '../../../base/process-identity.ts'
import { readHolder } from '../../../cli/up/folder-lock.ts'
import { type Installation, startInstallation } from '../../../cli/up/installation.ts'
import { planUp } from '../../../cli/up/plan-up.ts'
import type { Config } from '../../../config/config.ts'
import { loadConfig } from '../../../config/load-config.ts'
import { connectDatabase } from '../../../storage/database.ts'
import { freePort } from '../../free-port.ts'
import { startMariadb } from '../../mariadb.ts'
import { until } from '../../until.ts'
import { makeStandIns } from '../stand-ins.ts'

const HOST = '127.0.0.1'

/** With free ports and, unless `database` says where another is, a private database. */
async function planned(
  dataPath: string,
  database: Partial<Config['database']> = {},
): Promise<Config> {
  const sip = { host: HOST, port: await freePort() }
  const http = { host: HOST, port: await freePort() }
  const config = loadConfig(undefined, {
    TALLENNE_HTTP__GATEWAY__PORT: String(await freePort()),
    TALLENNE_HTTP__RETENTION__PORT: String(await freePort()),
    TALLENNE_DATABASE__CONNECTIONS: '3',
  })
  const own = { ...config, database: { ...config.database, ...database } }
  const plan = await planUp({ config: own, sip, http, dataPath, movesPorts: false })
  plan.claims.release()
  return plan.config
}

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

function starter(rootPath: string, told: string[] = []) {
  return (config: Config, stopped = new AbortController().signal): Promise<Installation> =>
    startInstallation({
      config,
      rootPath,
      env: process.env,
      clock: new SystemClock(),
      report: (line) => told.push(line),
      stopped,
    })
}

t.test('everything starts on a private database, and ends in order', async (t) => {
  const standIns = makeStandIns()
  t.teardown(() => standIns.close())
  const { dataPath, rootPath } = standIns
  const config = await planned(dataPath)
  const start = starter(rootPath)
  const installation = await start(config)
  t.teardown(() => installation.stop())

  const connection = await connectDatabase(installation.config.database)
  const tables = await connection.query('SHOW TABLES LIKE ?', ['contacts'])
  await connection.end()
  t.equal(tables.length, 1)
  t.equal(statSync(join(dataPath, 'effective.yaml')).mode & 0o777, 0o600)
  t.equal(statSync(join(dataPath, 'mariadb')).mode & 0o777, 0o700)

  await t.rejects(start(config), { code: 'data_in_use', message: new RegExp(`${process.pid}`) })

  await installation.stop()
  const order = readFileSync(join(dataPath, 'order.txt'), 'utf8').trim().split('\n')
  t.strictSame(order.slice(0, 3).sort(), ['gateway started', 'portal started', 'retention started'])
  t.equal(order[3], 'gateway ended')
  t.strictSame(order.slice(4).sort(), ['portal ended', 'retention ended'])
  t.equal(existsSync(join(dataPath, 'mariadb', 'mariadb.sock')), false)
  t.equal(existsSync(join(dataPath, 'up.lock')), false)
  await installation.stop()

  const again = await start(config)
  await again.stop()
})

t.test('a process that ends is started again, and that is told', async (t) => {
  const standIns = makeStandIns()
  t.teardown(() => standIns.close())
  const told: string[] = []
  const config = await planned(standIns.dataPath, mariadb.settings)
  const installation = await starter(standIns.rootPath, told)(config)
  t.teardown(() => installation.stop())
  const url = `http://${HOST}:${config.http.portal.port}`
  const before: unknown = await (await fetch(url)).json()
  await fetch(`${url}/crash`).catch(() => {})
  await until(async () => {
    const answer: unknown = await fetch(url)
      .then((response) => response.json())
      .catch(() => before)
    return Reflect.get(Object(answer), 'pid') !== Reflect.get(Object(before), 'pid')
  })
  t.strictSame(told, ['portal ended (exit code 3); starting it again in 1 s.'])
})

t.test('a process that cannot start ends the whole start with its own sentence', async (t) => {
  const standIns = makeStandIns()
  t.teardown(() => standIns.close())
  standIns.replace(
    'retention',
    "process.stderr.write('The moon is in the way.\\n'); process.exit(1)",
  )
  const config = await planned(standIns.dataPath)
  await t.rejects(starter(standIns.rootPath)(config), {
    code: 'process_failed',
    message: /^retention did not start: The moon is in the way\. .*retention\.log\.$/,
  })
  t.equal(existsSync(join(standIns.dataPath, 'up.lock')), false)
})

t.test('what a killed up has left running is ended by the next one', async (t) => {
  const standIns = makeStandIns()
  t.teardown(() => standIns.close())
  const { dataPath, rootPath } = standIns
  const config = await planned(dataPath)
  const configPath = join(rootPath, 'first.yaml')
  writeFileSync(configPath, JSON.stringify(config))
  const program = join(import.meta.dirname, 'run-installation.js')
  const first = spawn(process.execPath, [program, rootPath, configPath])
  await once(first.stdout, 'data')
  const holder = readHolder(dataPath)
  t.equal(holder?.children.length, 4)
  first.kill('SIGKILL')
  await once(first, 'close')

  const wishes = { config, sip: undefined, http: undefined, dataPath, movesPorts: false }
  const plan = await planUp(wishes)
  t.teardown(() => plan.claims.release())
  t.equal(holder?.children.some(isRunning), false)
  t.match(plan.notes, [/^Ending what an earlier tallenne up has left running/])
  t.strictSame(plan.config, config, 'its ports are free again')
  const second = await starter(rootPath)(plan.config)
  t.teardown(() => second.stop())
})

t.test('taken ports are told with what to do', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, HOST, resolve))
  t.teardown(() => taken.close())
  const address = taken.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const wishes = {
    config: loadConfig(undefined, {}),
    sip: { host: HOST, port },
    http: undefined,
    dataPath: '/nowhere',
    movesPorts: false,
  }
  await t.rejects(planUp(wishes), {
    code: 'port_taken',
    message: `SIP port ${port} (tcp) of 127.0.0.1 is in use by another process: end that one, or choose another port with --sip HOST:PORT or in sip.listen.`,
  })
  const moved = await planUp({ ...wishes, movesPorts: true })
  t.teardown(() => moved.claims.release())
  t.not(moved.config.sip.listen[0]?.port, port)
  t.match(moved.notes[0], /is taken: using \d+ instead\.$/)
  await t.rejects(planUp({ ...wishes, sip: { host: '192.0.2.1', port: 5060 } }), {
    code: 'address_unavailable',
  })
})

t.test("two that start at once keep off each other's ports", async (t) => {
  const standIns = makeStandIns()
  t.teardown(() => standIns.close())
  const config = await planned(standIns.dataPath)
  const wishes = {
    config,
    sip: undefined,
    http: undefined,
    dataPath: standIns.dataPath,
    movesPorts: true,
  }
  const ports = ({ sip, http }: Config) => [
    sip.listen[0]?.port,
    http.portal.port,
    http.gateway.port,
    http.retention.port,
  ]

  const first = await planUp(wishes)
  const second = await planUp(wishes)
  t.strictSame(ports(first.config), ports(config))
  t.equal(new Set([...ports(first.config), ...ports(second.config)]).size, 8)
  await t.rejects(planUp({ ...wishes, movesPorts: false }), {
    code: 'port_taken',
    message: /is in use by another process/,
  })

  for (const { claims } of [first, second]) claims.release()
  const third = await planUp({ ...wishes, movesPorts: false })
  t.strictSame(ports(third.config), ports(config), 'they are free again')
  third.claims.release()
})

t.test('a data folder that cannot be used is told', async (t) => {
  const standIns = makeStandIns()
  t.teardown(() => standIns.close())
  const config = await planned(standIns.dataPath)
  await t.rejects(
    starter(standIns.rootPath)({
      ...config,
      dataPath: join(standIns.rootPath, 'package.json', 'x'),
    }),
    {
      code: 'folder_unusable',
    },
  )
  const long = join(standIns.rootPath, 'x'.repeat(90))
  await t.rejects(starter(standIns.rootPath)({ ...config, dataPath: long }), {
    code: 'socket_path_too_long',
    message: /of the 107 that Unix allows/,
  })
})
