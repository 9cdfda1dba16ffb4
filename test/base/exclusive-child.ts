import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeExclusively } from '../../base/exclusive-file.ts'

/**
 * Takes a file again and again, and each time dies in effect: a holder lives as long as a file of its name does, and
 * leaves what it has taken. Arguments: folder, name, how often. Prints `twice` where two held it at once.
 *
 * With a further argument it takes the file once, waiting at its look for a file `go`, and prints whether it has it.
 */
const [folder = '', name = '', times = '1', waits] = process.argv.slice(2)
const path = join(folder, 'holder')

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function refuse(content: string): void {
  if (existsSync(join(folder, content))) throw new Error('held')
  if (waits === undefined) return
  writeFileSync(join(folder, 'looked'), '')
  while (!existsSync(join(folder, 'go'))) pause(5)
}

function takeOnce(self: string): boolean {
  writeFileSync(join(folder, self), '')
  try {
    takeExclusively(path, self, refuse)
    return true
  } catch {
    rmSync(join(folder, self))
    return false
  }
}

if (waits !== undefined) {
  process.stdout.write(takeOnce(name) ? 'taken' : 'refused')
} else {
  let taken = 0
  for (let at = 0; taken < Number(times); at++) {
    const self = `${name}-${at}`
    if (!takeOnce(self)) continue
    taken++
    try {
      writeFileSync(join(folder, 'one'), self, { flag: 'wx' })
      rmSync(join(folder, 'one'))
    } catch {
      process.stdout.write('twice ')
    }
    rmSync(join(folder, self))
  }
  process.stdout.write(`taken ${taken}`)
}
