import t from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { Admission, type Headroom, resourceOf } from '../../../gateway/admission/admission.ts'
import { ManualClock } from '../../manual-clock.ts'

t.test('the first obstacle is told, with how long to wait', async (t) => {
  const short = new Set<string>()
  const room = (resource: Headroom['resource'], kind: Headroom['kind']): Headroom => ({
    resource,
    kind,
    reason: () => 'engine_overload',
    free: () => (short.has(resource) ? 0 : 1),
    obstacle: () => (short.has(resource) ? `no ${resource}` : undefined),
  })
  const turned: string[] = []
  const admission = new Admission({
    headroom: [room('spool', 'storage'), room('ports', 'room')],
    retryAfterS: 5,
    clock: new ManualClock(),
    log: createSilentLog(),
    onTurned: (resource, became) => turned.push(`${resource} ${became}`),
  })
  t.equal(admission.obstacle, undefined)
  short.add('ports')
  t.match(admission.obstacle, { resource: 'ports', message: 'no ports', retryAfterS: 5 })
  short.add('spool')
  t.match(admission.obstacle, { resource: 'spool', kind: 'storage', retryAfterS: 30 })
  admission.turned('spool', 'refused')
  t.strictSame(turned, ['spool refused'])
})

t.test('refusals of engines are counted by what they are short of', async (t) => {
  t.equal(resourceOf('no_ports'), 'ports')
  t.equal(resourceOf('no_files'), 'files')
  t.equal(resourceOf('too_many_recordings'), 'recordings')
  t.equal(resourceOf('engine_overload'), 'engines')
  t.equal(resourceOf('unusable_offer'), undefined)
})
