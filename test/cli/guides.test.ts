import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { TallenneError } from '../../base/tallenne-error.ts'
import { readCommand } from '../../cli/read-command.ts'
import { VERBS } from '../../cli/verbs.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) =>
    name.endsWith('.md') ? `docs/${name}` : [],
  ),
]

/** The command lines of a page, between backticks and in its blocks, without what stands behind them. */
function commandsOf(text: string): readonly string[] {
  const inText = text.replace(/```.*?```/gs, '').matchAll(/`(?:\.\/)?tallenne ([^`]+)`/g)
  const inBlocks = [...text.matchAll(/```(?:sh)?\n(.*?)```/gs)].flatMap(([, block = '']) => [
    ...block.matchAll(/^(?:\$ )?(?:sudo -u tallenne )?(?:\.\/)?tallenne (.+)$/gm),
  ])
  return [...inText, ...inBlocks].map(([, line = '']) => line.split(/ {2,}| #/, 1)[0] ?? '')
}

function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

let found = 0
for (const page of PAGES) {
  const commands = commandsOf(readFileSync(join(ROOT, page), 'utf8'))
  found += commands.length
  t.test(`commands in ${page} are known, and so are their options`, async (t) => {
    for (const line of commands) {
      try {
        await readCommand(wordsOf(line), VERBS)
      } catch (error) {
        const code = error instanceof TallenneError ? error.code : undefined
        // A command that is only named lacks its words.
        t.equal(code, 'missing_word', `tallenne ${line}: ${String(error)}`)
      }
    }
  })
}

t.test('commands are found', async (t) => {
  t.ok(found > 50, `${found} commands`)
})
