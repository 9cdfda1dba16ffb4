import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'deploy', 'systemd')
const units = readdirSync(FOLDER).filter((name) => name.endsWith('.service'))
const hasTool = spawnSync('systemd-analyze', ['--version']).status === 0

t.equal(units.length, 4)
for (const unit of units) {
  const text = readFileSync(join(FOLDER, unit), 'utf8')
  t.test(`${unit} runs as a user without rights, who writes one folder`, async (t) => {
    for (const line of [
      'User=tallenne',
      'StateDirectory=tallenne',
      'ProtectSystem=strict',
      'NoNewPrivileges=yes',
      'CapabilityBoundingSet=',
      'UMask=0027',
      'LimitCORE=0',
    ]) {
      t.ok(text.split('\n').includes(line), line)
    }
    t.notMatch(text, /password|secret|token/i)
  })
  t.test(`${unit} leaves little exposed, as systemd counts it`, { skip: !hasTool }, async (t) => {
    // In tenths: 2.0 is the upper end of what systemd calls well protected.
    const args = ['security', '--offline=true', '--threshold=20', join(FOLDER, unit)]
    t.match(execFileSync('systemd-analyze', args, { encoding: 'utf8' }), /OK/)
  })
}
