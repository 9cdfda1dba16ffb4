import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { TallenneError } from '../../base/tallenne-error.ts'
import { runTestFile } from '../run-test-file.ts'
import type { Terminal, Verb } from '../verb.ts'

/** One of those that run a file at a time each, until none is left. */
interface Runner {
  next(left: string[]): string | undefined
  readonly niceness: number
}

/**
 * One more than our CI has cores, since a good half of the time goes into waiting: for packets, which come when they
 * are due, and for limits of time. Most of that stands at the list's beginning (cli, gateway), and most of what computes
 * at its end (recorder, storage); the one that begins there makes way for the others, whose tests have talk to keep up.
 */
const RUNNERS: readonly Runner[] = [
  { next: (left) => left.shift(), niceness: 0 },
  { next: (left) => left.shift(), niceness: 0 },
  { next: (left) => left.pop(), niceness: 10 },
]

/** Runs the tests of a checkout. */
export const testVerb: Verb = {
  name: 'test',
  help: `Usage: tallenne test [PATH…]

Checks the sources' style and runs the tests: all of them, or those of the files and folders named,
as test/config or test/cli/table.test.ts. The last line counts them; the exit code is 0 when
all passed.`,
  options: {},
  words: ['[PATH…]'],
  run: async (given, terminal) => {
    const { rootPath, env, print } = terminal
    const words = given.words.length === 0 ? [join(rootPath, 'test')] : given.words
    const left = words.flatMap((word) => compiledTests(word, rootPath))
    if (given.words.length === 0 && !(await isStyled(terminal))) {
      print('The style check failed; tests were not run.')
      print('0 passed, 1 failed')
      return 1
    }
    let passed = 0
    let failed = 0
    let skipped = 0
    const runOneByOne = async ({ next, niceness }: Runner) => {
      for (let path = next(left); path !== undefined; path = next(left)) {
        const { counts, told, tookMs } = await runTestFile(path, { rootPath, env, niceness })
        for (const line of told) print(line)
        const source = path.replace(/^build\//, '').replace(/\.js$/, '.ts')
        const result = counts.failed > 0 ? 'FAILED' : 'passed'
        print(`${result}  ${source}  ${(tookMs / 1000).toFixed(1)} s`)
        passed += counts.passed
        failed += counts.failed
        skipped += counts.skipped
      }
    }
    await Promise.all(RUNNERS.map(runOneByOne))
    const skips = skipped === 0 ? '' : `, ${skipped} skipped`
    print(`${passed} passed, ${failed} failed${skips}`)
    return failed === 0 && passed > 0 ? 0 : 1
  },
}

/** The compiled tests of a source file or folder, by their paths below `rootPath`. */
function compiledTests(word: string, rootPath: string): string[] {
  const path = relative(rootPath, resolve(word)).replace(/^build\//, '')
  if (!path.startsWith('test')) {
    throw new TallenneError(
      'option_value',
      `${word} is not under test/: name a file or folder there.`,
    )
  }
  const built = join('build', path.replace(/\.ts$/, '.js'))
  const builtPath = join(rootPath, built)
  if (!existsSync(builtPath)) {
    throw new TallenneError('option_value', `There is no ${word}: name a file or folder there.`)
  }
  if (!statSync(builtPath).isDirectory()) return [built]
  return readdirSync(builtPath, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(built, name))
}

/** Whether the sources are written as the style check wants them; prints what is not. */
async function isStyled({ rootPath, env }: Terminal): Promise<boolean> {
  const check = spawn('node_modules/.bin/biome', ['check', '--error-on-warnings', '.'], {
    cwd: rootPath,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return await new Promise((resolve, reject) => {
    check.once('error', reject)
    check.once('close', (code) => resolve(code === 0))
  })
}
