import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const LOADER = pathToFileURL(join(import.meta.dirname, '..', '..', 'config', 'load-config.js')).href

/** A program that serves `/readyz` where its configuration says, and writes down its start and its end. */
function standIn(name: string): string {
  return `
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { loadConfig } from '${LOADER}'
const config = loadConfig(undefined, process.env)
const note = (word) => appendFileSync(join(config.dataPath, 'order.txt'), '${name} ' + word + '\\n')
const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(3)
  response.end(JSON.stringify({ ready: true, pid: process.pid }))
})
server.on('error', (error) => {
  process.stderr.write('cannot listen: ' + error.code + '\\n')
  process.exit(1)
})
server.listen(config.http.${name}, () => note('started'))
process.on('SIGTERM', () => {
  note('ended')
  process.exit(0)
})
`
}

/**
 * A folder like a checkout's whose processes are stand-ins, so that what `up` does with them can be seen without
 * what they do. `close` removes it, with the data folder within.
 */
export function makeStandIns(): {
  readonly rootPath: string
  readonly dataPath: string
  replace(name: string, program: string): void
  close(): void
} {
  const rootPath = mkdtempSync(join(tmpdir(), 'tallenne-up-'))
  writeFileSync(join(rootPath, 'package.json'), '{"type":"module"}')
  const replace = (name: string, program: string) => {
    mkdirSync(join(rootPath, 'build', name), { recursive: true })
    writeFileSync(join(rootPath, 'build', name, 'main.js'), program)
  }
  for (const name of ['gateway', 'retention', 'portal']) replace(name, standIn(name))
  return {
    rootPath,
    dataPath: join(rootPath, 'data'),
    replace,
    close: () => rmSync(rootPath, { recursive: true, force: true }),
  }
}
