import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'

const PROJECT = join(import.meta.dirname, '..', '..', '..')
/** What the launcher itself runs; everything else is missing, or a stand-in that writes down its words. */
const TOOLS = [
  'sh',
  'dirname',
  'readlink',
  'cat',
  'cksum',
  'find',
  'head',
  'tail',
  'mkdir',
  'touch',
]
const MORE_TOOLS = ['mv', 'rm', 'ls', 'flock', 'chmod']

interface Machine {
  readonly root: string
  readonly bin: string
  /** Runs the launcher by dash; `shell` is what stands before it otherwise. */
  run(
    words: readonly string[],
    launcher?: string,
  ): { code: number | null; out: string; err: string }
  /** What the stand-ins were asked to do since the last look. */
  calls(): string[]
  standIn(name: string, script: string): void
}

/** Tells its versions where they are asked for, and else writes down what it was to run. */
function nodeOf(versions: string): string {
  return `case $1 in -p) echo "${versions}" ;; *) echo "node \${*#*build/}" >>LOG ;; esac`
}

/** A checkout and a machine of its own, without network. */
function makeMachine(t: Pick<Test, 'teardown'>): Machine {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-launcher-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'checkout')
  const bin = join(folder, 'bin')
  const log = join(folder, 'calls.txt')
  mkdirSync(join(root, 'cli'), { recursive: true })
  mkdirSync(bin)
  for (const file of ['tallenne', join('cli', 'help.txt')]) {
    copyFileSync(join(PROJECT, file), join(root, file))
  }
  chmodSync(join(root, 'tallenne'), 0o755)
  for (const file of ['package-lock.json', 'tsconfig.json']) writeFileSync(join(root, file), '{}')
  writeFileSync(join(root, 'cli', 'main.ts'), '')
  for (const tool of [...TOOLS, ...MORE_TOOLS]) {
    const found = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
    symlinkSync(found, join(bin, tool))
  }
  const standIn = (name: string, script: string) => {
    const path = join(bin, name)
    rmSync(path, { force: true })
    writeFileSync(path, `#!/bin/sh\n${script.replaceAll('LOG', log)}\n`)
    chmodSync(path, 0o755)
  }
  writeFileSync(log, '')
  standIn('id', 'echo 0')
  standIn('node', nodeOf('20 115'))
  standIn(
    'npm',
    `echo "npm $*" >>LOG
mkdir -p node_modules/.bin
printf '#!/bin/sh\\necho tsc >>LOG\\nmkdir -p ../build/cli build/cli 2>/dev/null; exit 0\\n' >node_modules/.bin/tsc
chmod +x node_modules/.bin/tsc`,
  )
  standIn('apt-get', 'echo "apt-get $*" >>LOG')
  return {
    root,
    bin,
    standIn,
    run: (words, launcher = join(root, 'tallenne')) => {
      const { status, stdout, stderr } = spawnSync('/bin/dash', [launcher, ...words], {
        env: { PATH: bin },
        cwd: folder,
        encoding: 'utf8',
      })
      return { code: status, out: stdout, err: stderr }
    },
    calls: () => {
      const calls = readFileSync(log, 'utf8').trim().split('\n')
      writeFileSync(log, '')
      return calls.filter((call) => call !== '')
    },
  }
}

t.test('help needs nothing at all', async (t) => {
  const machine = makeMachine(t)
  rmSync(join(machine.bin, 'node'))
  const { code, out } = machine.run(['--help'])
  t.equal(code, 0)
  t.match(out, /^Tallenne records calls/)
  t.equal(machine.run([]).out, out)
  t.strictSame(machine.calls(), [])
})

t.test('a first start installs and builds, a second one does neither', async (t) => {
  const machine = makeMachine(t)
  t.equal(machine.run(['doctor', '--json']).code, 0)
  t.strictSame(machine.calls(), ['npm ci --no-progress', 'tsc', 'node cli/main.js doctor --json'])
  const { code, err } = machine.run(['doctor'])
  t.equal(code, 0)
  t.equal(err, '')
  t.strictSame(machine.calls(), ['node cli/main.js doctor'])
})

t.test('a source that is newer, or gone, is a reason to build', async (t) => {
  const machine = makeMachine(t)
  machine.run(['doctor'])
  machine.calls()
  const later = new Date(Date.now() + 60_000)
  utimesSync(join(machine.root, 'cli', 'main.ts'), later, later)
  machine.run(['doctor'])
  t.strictSame(machine.calls(), ['tsc', 'node cli/main.js doctor'])
  utimesSync(join(machine.root, 'cli', 'main.ts'), new Date(0), new Date(0))
  mkdirSync(join(machine.root, 'build', 'cli'), { recursive: true })
  writeFileSync(join(machine.root, 'build', 'cli', 'gone.js'), '')
  utimesSync(join(machine.root, 'cli'), later, later)
  machine.run(['doctor'])
  t.strictSame(machine.calls(), ['tsc', 'node cli/main.js doctor'])
  t.throws(() => readFileSync(join(machine.root, 'build', 'cli', 'gone.js')), { code: 'ENOENT' })
})

t.test('another lock file, or another Node, is a reason to install', async (t) => {
  const machine = makeMachine(t)
  machine.run(['doctor'])
  machine.calls()
  writeFileSync(join(machine.root, 'package-lock.json'), '{ }')
  utimesSync(join(machine.root, 'package-lock.json'), new Date(0), new Date(0))
  machine.run(['doctor'])
  t.equal(machine.calls()[0], 'npm ci --no-progress')
  machine.standIn('node', nodeOf('22 127'))
  machine.run(['doctor'])
  t.equal(machine.calls()[0], 'npm ci --no-progress')
})

t.test('it finds itself through links', async (t) => {
  const machine = makeMachine(t)
  const direct = join(machine.root, '..', 'direct')
  symlinkSync(join('checkout', 'tallenne'), direct)
  const twice = join(machine.bin, 'tallenne')
  symlinkSync(join('..', 'direct'), twice)
  t.equal(machine.run(['doctor'], twice).code, 0)
  t.equal(machine.calls().at(-1), 'node cli/main.js doctor')
})

t.test('a Node that is missing or old is told in a sentence', async (t) => {
  const machine = makeMachine(t)
  machine.standIn('node', 'echo "18 108"')
  t.match(machine.run(['doctor']), { code: 2, err: /Node\.js 18 is too old: install version 20/ })
  rmSync(join(machine.bin, 'node'))
  t.match(machine.run(['doctor']), { code: 2, err: /^tallenne: Node\.js 20 or newer is missing/ })
})

t.test('as root, Debian packages are installed for the verbs that need them alone', async (t) => {
  const machine = makeMachine(t)
  machine.run(['doctor'])
  t.notOk(machine.calls().some((call) => call.startsWith('apt-get')))
  t.match(machine.run(['demo']).err, /^Installing mariadb-server-core mariadb-client-core …$/m)
  const calls = machine.calls()
  t.match(
    calls.find((call) => call.includes('install')),
    /^apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core$/,
  )
  t.equal(calls.at(-1), 'node cli/main.js demo')
  machine.run(['test', '--help'])
  t.strictSame(machine.calls(), ['node cli/main.js test --help'])
})

t.test('prometheus is unpacked for the tests, never installed, and done without', async (t) => {
  const machine = makeMachine(t)
  const tools = [
    ...['mariadbd', 'mariadb-install-db', 'mariadb', 'sipp', 'baresip', 'opusinfo', 'ffmpeg'],
    ...['chromium', 'openssl', 'age'],
  ]
  for (const tool of tools) machine.standIn(tool, '')
  machine.standIn(
    'apt-get',
    'echo "apt-get $*" >>LOG; [ "$1" = download ] && touch prometheus_1.deb',
  )
  machine.standIn('dpkg-deb', 'echo "dpkg-deb $*" >>LOG')
  t.match(machine.run(['test']).err, /^Fetching prometheus …$/m)
  t.strictSame(
    machine.calls().filter((call) => /^(apt|dpkg)/.test(call)),
    ['apt-get download prometheus', 'dpkg-deb -x prometheus_1.deb .'],
  )
  machine.standIn('apt-get', 'exit 1')
  t.match(machine.run(['test']), { code: 0, err: /prometheus cannot be had here: tests/ })
})

t.test('without root, the one command to run is told', async (t) => {
  const machine = makeMachine(t)
  machine.standIn('id', 'echo 1000')
  t.match(machine.run(['demo']), {
    code: 2,
    err: /^ {2}sudo apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core$/m,
  })
  rmSync(join(machine.bin, 'apt-get'))
  t.match(machine.run(['demo']), {
    code: 2,
    err: /missing: mariadb-server-core mariadb-client-core/,
  })
})

t.test('what fails shows the end of its log', async (t) => {
  const machine = makeMachine(t)
  for (const tool of ['g++', 'make', 'python3']) machine.standIn(tool, '')
  machine.standIn('npm', 'echo "the registry is away"; exit 1')
  t.match(machine.run(['doctor']), { code: 2, err: /npm ci failed; [\s\S]*the registry is away/ })
})

t.test(
  'where compiling fails for want of a compiler, root installs one and tries again',
  async (t) => {
    const machine = makeMachine(t)
    machine.standIn('npm', 'echo "npm $*" >>LOG; exit 1')
    t.equal(machine.run(['doctor']).code, 2)
    const calls = machine.calls()
    t.equal(calls[0], 'npm ci --no-progress')
    t.match(calls.at(-2), /^apt-get install .* build-essential python3$/)
    t.equal(calls.at(-1), 'npm ci --no-progress')
  },
)
