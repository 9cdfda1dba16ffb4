import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeFolder } from '../../base/make-folder.ts'

t.test('a folder is made with all that are missing above it, once', (t) => {
  const path = join(t.testdir(), 'a', 'b', 'c')
  makeFolder(path, 0o700)
  makeFolder(path, 0o700)
  t.ok(statSync(path).isDirectory())
  t.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
  t.end()
})

t.test('what cannot be made is told at once', (t) => {
  const folder = t.testdir()
  const file = join(folder, 'file')
  writeFileSync(file, '')
  t.throws(() => makeFolder(file, 0o700), { message: 'it is no folder' })
  t.throws(() => makeFolder(join(file, 'below'), 0o700), { code: 'ENOTDIR' })
  // The kernel says ENOENT here, although the parent is there.
  t.throws(() => makeFolder('/proc/tallenne/data', 0o700), { code: 'ENOENT' })
  mkdirSync(join(folder, 'there'))
  t.doesNotThrow(() => makeFolder(join(folder, 'there'), 0o700))
  t.end()
})
