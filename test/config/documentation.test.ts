import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configSchema } from '../../config/config.ts'
import { keysAt } from '../../config/schema-keys.ts'

const PAGE = readFileSync(
  join(import.meta.dirname, '..', '..', '..', 'docs', 'configuration.md'),
  'utf8',
)

/** All paths that end in a value, lists marked by `[]` as the page does. */
function leaves(path: readonly (string | number)[] = [], shown = ''): string[] {
  return keysAt(configSchema, path).flatMap((key) => {
    const name = shown === '' ? key : `${shown}.${key}`
    const inMapping = leaves([...path, key], name)
    const inList = leaves([...path, key, 0], `${name}[]`)
    return inMapping.length + inList.length === 0 ? [name] : [...inMapping, ...inList]
  })
}

t.test('every key is described, and nothing that is none', async (t) => {
  const described = [...PAGE.matchAll(/^\| `([a-zA-Z.[\]]+)` +\|/gm)].map(([, path]) => path ?? '')
  const known = leaves()
  t.ok(known.length > 50)
  t.strictSame(
    known.filter((path) => !described.includes(path)),
    [],
  )
  const lists = new Set(
    known
      .filter((path) => path.includes('[]'))
      .map((path) => path.slice(0, path.lastIndexOf('[]'))),
  )
  t.strictSame(
    described.filter((path) => !known.includes(path) && !lists.has(path)),
    [],
  )
})

t.test('a default that the page names is the program’s', async (t) => {
  const defaults: unknown = configSchema.parse({})
  let compared = 0
  for (const [, path = '', shown = ''] of PAGE.matchAll(/^\| `([a-zA-Z.]+)` +\| ([^|]*?) +\|/gm)) {
    const value = path
      .split('.')
      .reduce((above, key) => (above instanceof Object ? Reflect.get(above, key) : above), defaults)
    if (typeof value === 'object' || value === undefined) continue
    compared++
    t.equal(shown.replaceAll('`', ''), String(value), path)
  }
  t.ok(compared > 40, `${compared} defaults`)
})
