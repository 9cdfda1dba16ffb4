import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { effectiveConfigPath, findConfig } from '../../cli/effective-config.ts'
import type { Terminal } from '../../cli/verb.ts'

const GIVEN = { words: [], options: {} }

function findIn(
  folder: string,
  { config, env = {} }: { readonly config?: string; readonly env?: Terminal['env'] },
) {
  const options = config === undefined ? {} : { config }
  return findConfig({ ...GIVEN, options }, { env, rootPath: folder } as Terminal)
}

t.test('a configuration that leaves the database to up finds the one that up made', async (t) => {
  const folder = t.testdir()
  const config = join(folder, 'tallenne.yaml')
  writeFileSync(config, `{dataPath: ${folder}, node: {id: north-1}}`)
  t.equal(findIn(folder, { config }).database.socketPath, undefined, 'up has not run yet')
  writeFileSync(
    effectiveConfigPath(folder),
    `{dataPath: ${folder}, database: {socketPath: /run/private.sock}, http: {portal: {port: 9090}}}`,
  )
  for (const given of [{ config }, { env: { TALLENNE_CONFIG: config } }]) {
    const found = findIn(folder, given)
    t.equal(found.database.socketPath, '/run/private.sock')
    t.equal(found.http.portal.port, 9090)
    t.equal(found.node.id, 'north-1', 'all else is as the file says')
  }
})

t.test('a configuration with a database of its own is taken as it is', async (t) => {
  const folder = t.testdir()
  const config = join(folder, 'tallenne.yaml')
  writeFileSync(config, `{dataPath: ${folder}, database: {host: 192.0.2.20}}`)
  writeFileSync(effectiveConfigPath(folder), '{database: {socketPath: /run/private.sock}}')
  t.equal(findIn(folder, { config }).database.host, '192.0.2.20')
})
