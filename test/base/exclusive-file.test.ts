import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { takeExclusively } from '../../base/exclusive-file.ts'

const CHILD = fileURLToPath(new URL('./exclusive-child.js', import.meta.url))

/** What the process prints until its end. */
async function run(...values: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [CHILD, ...values], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.setEncoding('utf8')
  let printed = ''
  for await (const text of child.stdout) printed += text
  return printed
}

t.test('a file is taken by one, and by the next when it is let go', (t) => {
  const folder = t.testdir()
  const path = join(folder, 'holder')
  const refuse = () => {
    throw new Error('held')
  }
  const letGo = takeExclusively(path, 'first', refuse)
  t.throws(() => takeExclusively(path, 'second', refuse), { message: 'held' })
  t.equal(readFileSync(path, 'utf8'), 'first')
  letGo()
  takeExclusively(path, 'second', refuse)
  t.equal(readFileSync(path, 'utf8'), 'second')
  t.same(readdirSync(folder), ['holder'])
  t.end()
})

t.test('what a dead one left is taken over, also where one died in taking it over', (t) => {
  const folder = t.testdir()
  const path = join(folder, 'holder')
  const nameOf = createHash('sha256').update('dead').digest('hex').slice(0, 16)
  writeFileSync(path, 'dead')
  writeFileSync(`${path}.after-${nameOf}`, 'dead too')
  const seen: string[] = []
  takeExclusively(path, 'next', (content) => seen.push(content))
  t.same(seen, ['dead', 'dead too'])
  t.equal(readFileSync(path, 'utf8'), 'next')
  t.same(readdirSync(folder), ['holder'])
  t.end()
})

t.test('of two processes that find a dead one’s file, the slower is refused', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'holder'), 'dead')
  const slow = run(folder, 'slow', '1', 'waits')
  while (!existsSync(join(folder, 'looked'))) await delay(10)
  writeFileSync(join(folder, 'quick'), '')
  takeExclusively(join(folder, 'holder'), 'quick', (content) => {
    if (existsSync(join(folder, content))) throw new Error('held')
  })
  writeFileSync(join(folder, 'go'), '')
  t.equal(await slow, 'refused')
  t.equal(readFileSync(join(folder, 'holder'), 'utf8'), 'quick')
})

t.test('two processes never both hold a file, however often it is left and taken', async (t) => {
  const folder = t.testdir()
  const printed = await Promise.all(['a', 'b'].map((name) => run(folder, name, '300')))
  t.same(printed, ['taken 300', 'taken 300'])
  t.same(readdirSync(folder), ['holder'])
})
