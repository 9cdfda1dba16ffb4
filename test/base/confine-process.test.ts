import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { confineProcess, withoutConfiguration } from '../../base/confine-process.ts'

t.test(
  'a program that is started inherits no configuration, which may hold passwords',
  async (t) => {
    const before = process.umask()
    t.teardown(() => process.umask(before))
    process.env['TALLENNE_DATABASE__PASSWORD'] = 'not for others'
    const { isRoot } = confineProcess()
    t.equal(isRoot, process.getuid?.() === 0)
    const environment = execFileSync('/bin/sh', ['-c', 'tr "\\0" "\\n" < /proc/self/environ'])
    t.match(environment.toString(), /^PATH=/m)
    t.notMatch(environment.toString(), 'not for others')
    const folder = mkdtempSync(join(tmpdir(), 'tallenne-confined-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'file'), '')
    t.equal(statSync(join(folder, 'file')).mode & 0o007, 0, 'nor may others read what is written')
  },
)

t.test('all else of an environment stays', async (t) => {
  const env = { PATH: '/bin', TALLENNE_CONFIG: 'x', TALLENNE_SIP__DRACHTIO: 'y', LANG: 'C' }
  t.same(withoutConfiguration(env), { PATH: '/bin', LANG: 'C' })
})
