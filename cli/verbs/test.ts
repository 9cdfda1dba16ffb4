import { spawn } from 'node:child_process'
import { relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { TallenneError } from '../../base/tallenne-error.ts'
import { TapSummary } from '../tap-summary.ts'
import type { Terminal, Verb } from '../verb.ts'

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
    const { rootPath, print } = terminal
    if (given.words.length === 0) {
      const lint = await runTool(['biome', 'check', '--error-on-warnings', '.'], terminal)
      if (lint !== 0) {
        print('The style check failed; tests were not run.')
        print('0 passed, 1 failed')
        return 1
      }
    }
    const files = given.words.map((word) => compiledTests(word, rootPath))
    const summary = new TapSummary()
    const code = await runTool(['tap', 'run', '--disable-coverage', '--reporter=tap', ...files], {
      ...terminal,
      print: (line) => {
        for (const told of summary.read(line)) print(told)
      },
    })
    const { passed, failed, skipped } = summary.counts
    // A run that ends badly although no test says so must not look like a good one.
    const failures = failed === 0 && code !== 0 ? 1 : failed
    if (failed === 0 && code !== 0) print(`tap ended with exit code ${code}.`)
    const skips = skipped === 0 ? '' : `, ${skipped} skipped`
    print(`${passed} passed, ${failures} failed${skips}`)
    return failures === 0 && passed > 0 ? 0 : 1
  },
}

/** The compiled tests of a source file or folder, as tap wants them. */
function compiledTests(word: string, rootPath: string): string {
  const path = relative(rootPath, resolve(word)).replace(/^build\//, '')
  if (!path.startsWith('test')) {
    throw new TallenneError(
      'option_value',
      `${word} is not under test/: name a file or folder there.`,
    )
  }
  return path.endsWith('.ts') || path.endsWith('.js')
    ? `build/${path.replace(/\.ts$/, '.js')}`
    : `build/${path}/**/*.test.js`
}

async function runTool(line: readonly string[], terminal: Terminal): Promise<number> {
  const [tool = '', ...args] = line
  const child = spawn(`node_modules/.bin/${tool}`, args, {
    cwd: terminal.rootPath,
    env: terminal.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
  for await (const text of createInterface({ input: child.stdout })) terminal.print(text)
  return ended
}
