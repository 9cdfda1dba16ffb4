import t from 'tap'
import { trunkSchema } from '../../../config/trunk-config.ts'
import { orderTargets } from '../../../gateway/trunk/target-order.ts'

function targetsOf(...targets: object[]) {
  const [route] = trunkSchema.parse({ routes: [{ name: 'r', targets }] }).routes
  return route?.targets ?? []
}

const urisOf = (targets: readonly { uri: string }[]) => targets.map(({ uri }) => uri)

t.test('a lower priority is tried first', async (t) => {
  const targets = targetsOf(
    { uri: 'sip:second', priority: 2 },
    { uri: 'sip:first', priority: 1 },
    { uri: 'sip:third', priority: 3 },
  )
  const order = orderTargets(
    targets,
    () => true,
    () => 0.5,
  )
  t.same(urisOf(order), ['sip:first', 'sip:second', 'sip:third'])
})

t.test('a target that is down stands behind every target that is up', async (t) => {
  const targets = targetsOf({ uri: 'sip:first', priority: 1 }, { uri: 'sip:second', priority: 2 })
  const order = orderTargets(
    targets,
    ({ uri }) => uri !== 'sip:first',
    () => 0,
  )
  t.same(urisOf(order), ['sip:second', 'sip:first'])
})

t.test('within a priority the weights are the shares', async (t) => {
  const targets = targetsOf({ uri: 'sip:big', weight: 3 }, { uri: 'sip:small', weight: 1 })
  const firsts = { 'sip:big': 0, 'sip:small': 0 } as Record<string, number>
  for (let draw = 0; draw < 100; draw++) {
    const [first] = urisOf(
      orderTargets(
        targets,
        () => true,
        () => draw / 100,
      ),
    )
    firsts[first ?? ''] = (firsts[first ?? ''] ?? 0) + 1
  }
  t.same(firsts, { 'sip:big': 75, 'sip:small': 25 })
})

t.test('a target of weight 0 is used only where nothing else is left', async (t) => {
  const targets = targetsOf({ uri: 'sip:spare', weight: 0 }, { uri: 'sip:main', weight: 1 })
  for (const random of [0, 0.3, 0.999]) {
    t.same(
      urisOf(
        orderTargets(
          targets,
          () => true,
          () => random,
        ),
      ),
      ['sip:main', 'sip:spare'],
    )
  }
  t.same(
    urisOf(
      orderTargets(
        targetsOf({ uri: 'sip:only', weight: 0 }),
        () => true,
        () => 0,
      ),
    ),
    ['sip:only'],
  )
})
