import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { TallenneError } from '../../base/tallenne-error.ts'
import { writeWhole } from '../../cli/write-whole.ts'

async function* pieces(failure?: Error): AsyncGenerator<string | Uint8Array> {
  yield 'first\n'
  yield new Uint8Array(100_000)
  if (failure) throw failure
  yield 'last\n'
}

t.test('a file is its owner’s alone, whatever was there before', async (t) => {
  const path = join(t.testdir(), 'export.jsonl')
  writeFileSync(path, 'before', { mode: 0o644 })
  t.equal(await writeWhole(path, pieces()), 100_011)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(path).size, 100_011)
})

t.test('what cannot be read to its end leaves what was there, and nothing beside it', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'export.jsonl')
  writeFileSync(path, 'before')
  await t.rejects(writeWhole(path, pieces(new Error('connection lost'))), {
    code: 'output_failed',
    message: `${path} could not be written whole (connection lost): nothing is left of it.`,
  })
  const own = new TallenneError('file_damaged', 'The file is damaged.')
  await t.rejects(writeWhole(path, pieces(own)), own)
  t.same(readdirSync(folder), ['export.jsonl'])
  t.equal(readFileSync(path, 'utf8'), 'before')
})

t.test('where nothing can be written the error names the file', async (t) => {
  const path = join(t.testdir(), 'missing', 'export.jsonl')
  await t.rejects(writeWhole(path, pieces()), { code: 'output_failed', message: path })
})

t.test('a file that another one is writing is left to it', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'export.jsonl')
  writeFileSync(`${path}.part`, 'of another')
  await t.rejects(writeWhole(path, pieces()), {
    code: 'output_failed',
    message: /export\.jsonl\.part is there/,
  })
  t.equal(readFileSync(`${path}.part`, 'utf8'), 'of another')
})

t.test('a folder or a device is never replaced', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'export')
  mkdirSync(path)
  for (const other of [path, '/dev/null']) {
    await t.rejects(writeWhole(other, pieces()), {
      code: 'output_failed',
      message: `${other} is no file: name a file that is to be written.`,
    })
  }
  t.same(readdirSync(folder), ['export'])
})
