import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { newId } from '../../../base/uuid.ts'
import { moveFile } from '../../../storage/disk/move-file.ts'

const CONTENT = Buffer.alloc(700_000, 'a recording ')
const SHA256 = createHash('sha256').update(CONTENT).digest('hex')

/** A file on one disk and its place on another; undefined where there is one disk only. */
function twoDisks(t: Test) {
  const folder = t.testdir()
  if (!existsSync('/dev/shm') || statSync('/dev/shm').dev === statSync(folder).dev) {
    t.comment('skipped: /dev/shm is no disk of its own here')
    return undefined
  }
  const other = join('/dev/shm', `tallenne-move-${newId()}`)
  mkdirSync(other)
  t.teardown(() => rmSync(other, { recursive: true }))
  const from = join(other, 'a.opus')
  writeFileSync(from, CONTENT, { mode: 0o600 })
  return { from, to: join(folder, '2026/01/05/a.opus') }
}

t.test('a file moves to another disk whole, and its SHA-256 is compared', async (t) => {
  const disks = twoDisks(t)
  if (disks === undefined) return
  const { from, to } = disks
  t.notOk(moveFile({ choices: [disks], bytes: CONTENT.length, sha256: SHA256 }).isChanged)
  t.ok(readFileSync(to).equals(CONTENT))
  t.equal(statSync(to).mode & 0o777, 0o600)
  t.notOk(existsSync(from))
  t.notOk(existsSync(`${to}.part`))
  t.equal(moveFile({ choices: [disks] }).movedTo, to, 'moving it once more changes nothing')
  t.ok(readFileSync(to).equals(CONTENT))
})

t.test('a move that a crash interrupted is finished, wherever it stopped', async (t) => {
  const afterCrash: Readonly<Record<string, (from: string, to: string) => void>> = {
    'half of the copy was written': (_, to) =>
      writeFileSync(`${to}.part`, CONTENT.subarray(0, 999)),
    'more than the copy was left there': (_, to) =>
      writeFileSync(`${to}.part`, Buffer.concat([CONTENT, CONTENT])),
    'the copy was whole and had no name yet': (_, to) => writeFileSync(`${to}.part`, CONTENT),
    'both names were there': (_, to) => writeFileSync(to, CONTENT),
    'only the new name was left': (from, to) => {
      writeFileSync(to, CONTENT)
      rmSync(from)
    },
  }
  for (const [state, crash] of Object.entries(afterCrash)) {
    t.test(state, async (t) => {
      const disks = twoDisks(t)
      if (disks === undefined) return
      mkdirSync(join(disks.to, '..'), { recursive: true })
      crash(disks.from, disks.to)
      t.notOk(moveFile({ choices: [disks], bytes: CONTENT.length, sha256: SHA256 }).isChanged)
      t.ok(readFileSync(disks.to).equals(CONTENT))
      t.notOk(existsSync(disks.from))
      t.notOk(existsSync(`${disks.to}.part`))
    })
  }
})

t.test('a file whose bytes have changed is moved all the same, and told of', async (t) => {
  const disks = twoDisks(t)
  if (disks === undefined) return
  t.ok(moveFile({ choices: [disks], sha256: '0'.repeat(64) }).isChanged)
  t.ok(readFileSync(disks.to).equals(CONTENT))
})

t.test('what was written after the file was given up is left behind', async (t) => {
  const folder = t.testdir()
  const disks = twoDisks(t)
  for (const { from, to } of [
    { from: join(folder, 'near'), to: join(folder, 'b/near') },
    ...(disks === undefined ? [] : [disks]),
  ]) {
    writeFileSync(from, CONTENT)
    moveFile({ choices: [{ from, to }], bytes: 1000 })
    t.equal(statSync(to).size, 1000)
  }
})

t.test('a file that is nowhere is ENOENT', async (t) => {
  const folder = t.testdir()
  const nowhere = { from: join(folder, 'a'), to: join(folder, 'b/a') }
  t.throws(() => moveFile({ choices: [nowhere] }), { code: 'ENOENT' })
})
