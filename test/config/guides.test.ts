import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../config/load-config.ts'

const DOCS = new URL('../../../docs/', import.meta.url).pathname

/** The file with every secret that it names, in a folder of its own instead of `/etc/tallenne`. */
function writeExample(folder: string, yaml: string): string {
  const text = yaml.replaceAll('/etc/tallenne', folder)
  for (const [, path = ''] of text.matchAll(/(?:password|secret)File: ([^\s}]+)/g)) {
    const file = path.startsWith('/') ? path : join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'secret\n')
  }
  const file = join(folder, 'tallenne.yaml')
  writeFileSync(file, text)
  return file
}

for (const guide of readdirSync(DOCS).filter((name) => name.endsWith('.md'))) {
  const examples = [...readFileSync(join(DOCS, guide), 'utf8').matchAll(/```yaml\n(.*?)```/gs)]
  for (const [index, [, yaml = '']] of examples.entries()) {
    t.test(`example ${index + 1} of ${guide} is a configuration without mistakes`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'tallenne-guide-'))
      t.teardown(() => rmSync(folder, { recursive: true }))
      t.doesNotThrow(() => loadConfig(writeExample(folder, yaml), {}))
    })
  }
}
