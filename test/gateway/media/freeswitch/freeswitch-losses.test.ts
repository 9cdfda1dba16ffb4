import t from 'tap'
import { createSilentLog } from '../../../../base/log.ts'
import {
  callerOf,
  hangUpLeftovers,
} from '../../../../gateway/media/freeswitch/leftover-channels.ts'
import type { MovedMedia } from '../../../../gateway/media/trunk-media.ts'
import { until } from '../../../until.ts'
import { partyOffer, portOf, realServers, startMediaNode } from './media-node.ts'
import { StandInFreeswitch } from './stand-in-freeswitch.ts'

type MediaNode = Awaited<ReturnType<typeof startMediaNode>>

const log = createSilentLog()
const node1 = { nodeId: 'node-1', address: '127.0.0.1' }

async function call(node: MediaNode) {
  const media = await node.plane.open(node.request())
  await media.offerForPlatform()
  await media.answerFromPlatform(partyOffer(49_002))
  await media.answered(node.clock.epochMs())
  return media
}

t.test(
  'channels of an earlier run are hung up, those of others and of calls are not',
  async (t) => {
    const standIn = await StandInFreeswitch.start()
    t.teardown(() => standIn.close())
    for (const [uuid, caller] of [
      ['left-1', callerOf(node1)],
      ['left-2', callerOf(node1)],
      ['ours', callerOf(node1)],
      ['neighbour', callerOf({ nodeId: 'node-10', address: '127.0.0.1' })],
      ['namesake', callerOf({ nodeId: 'node-1', address: '192.0.2.7' })],
      ['guest', '+12025550147'],
    ] as const) {
      standIn.leftovers.set(uuid, caller)
    }
    const isOurs = (uuid: string) => uuid === 'ours'
    t.equal(await hangUpLeftovers(standIn.address, { node: node1, isOurs, log }), 2)
    t.strictSame([...standIn.leftovers.keys()], ['ours', 'neighbour', 'namesake', 'guest'])
  },
)

t.test('a FreeSWITCH without channels has no leftovers', async (t) => {
  const standIn = await StandInFreeswitch.start()
  t.teardown(() => standIn.close())
  t.equal(await hangUpLeftovers(standIn.address, { node: node1, isOurs: () => false, log }), 0)
})

t.test('a node hangs up what its earlier run left, as soon as it is connected', async (t) => {
  const node = await startMediaNode(t)
  const media = await call(node)
  node.standIn.leftovers.set('left', callerOf(node1))
  const channels = node.standIn.channels.size
  node.standIn.dropEventSockets()
  await until(() => node.pool.servers[0]?.state === 'down')
  await until(() => node.pool.servers[0]?.state === 'up')
  t.equal(node.standIn.leftovers.size, 0)
  t.equal(node.standIn.channels.size, channels, 'the call keeps its own')
  await media.close(node.clock.epochMs(), [])
})

t.test('a lost event socket costs no call', async (t) => {
  const node = await startMediaNode(t)
  const media = await call(node)
  const lost: string[] = []
  media.onLost((reason) => lost.push(reason))
  node.standIn.dropEventSockets()
  await until(() => node.pool.servers[0]?.state === 'up')
  const held = `${partyOffer(49_000)}a=sendonly\r\n`
  t.match(await media.reofferFrom('caller', held), /a=sendonly/)
  t.equal(media.isHeld, true)
  t.equal(media.status.kind, 'recording')
  t.same(lost, [])
  await media.close(node.clock.epochMs(), [])
  t.equal(node.standIn.channels.size, 0)
})

t.test('endpoints outlive the SIP server that they were called through', async (t) => {
  const node = await startMediaNode(t)
  const media = await call(node)
  const before = new Set(node.standIn.channels.keys())
  await node.restartServer()
  await media.renewSignalling(node.framework)
  t.match(await media.reofferFrom('caller', `${partyOffer(49_000)}a=sendonly\r\n`), /a=sendonly/)
  t.strictSame(new Set(node.standIn.channels.keys()), before)
  await media.close(node.clock.epochMs(), [])
  t.equal(node.standIn.channels.size, 0)
  t.equal(node.pool.servers[0]?.endpoints, 0)
  const next = await call(node)
  await next.close(node.clock.epochMs(), [])
})

t.test('a call goes to another FreeSWITCH when its own dies', async (t) => {
  const node = await startMediaNode(t, { hasTwo: true })
  const media = await node.plane.open(node.request())
  const toPlatform = await media.offerForPlatform()
  const toCaller = await media.answerFromPlatform(partyOffer(49_002))
  await media.answered(node.clock.epochMs())
  t.equal(node.standIn.channels.size, 2)
  const lost: string[] = []
  media.onLost((reason) => lost.push(reason))
  const moves: MovedMedia[] = []
  media.onMoved((move) => moves.push(move))
  node.standIn.die()
  await until(() => moves.length > 0 && media.status.kind === 'recording')
  const [moved] = moves
  const origin = (sdp: string | undefined) => /^o=(\S+ \S+) (\d+)/m.exec(sdp ?? '')
  for (const [offer, told] of [
    [moved?.offers?.caller, toCaller],
    [moved?.offers?.platform, toPlatform],
  ] as const) {
    t.equal(origin(offer)?.[1], origin(told)?.[1], 'the session is the same')
    t.equal(Number(origin(offer)?.[2]), Number(origin(told)?.[2]) + 1, 'in its next version')
  }
  await media.takeAnswer('caller', partyOffer(49_000))
  await media.takeAnswer('platform', partyOffer(49_002))
  t.equal(node.spare?.channels.size, 2)
  t.match(await moved?.before, { reasons: ['engine_failed'] })
  const outcome = await media.close(node.clock.epochMs(), [])
  t.equal(outcome?.recordingId, moved?.recordingId)
  t.equal(node.spare?.channels.size, 0)
  t.same(lost, [])
  t.strictSame(
    node.pool.servers.map(({ endpoints }) => endpoints),
    [0, 0],
  )
})

t.test('a call that FreeSWITCH ends on purpose goes nowhere else', async (t) => {
  const node = await startMediaNode(t, { hasTwo: true })
  const media = await call(node)
  const lost: string[] = []
  media.onLost((reason) => lost.push(reason))
  const [uuid = ''] = node.standIn.channels.keys()
  node.standIn.kill(uuid)
  await until(() => lost.length > 0)
  t.equal(node.spare?.channels.size, 0)
  await media.close(node.clock.epochMs(), [])
})

const skip = realServers() ? false : 'no real servers are named'
for (const [name, real, skipped] of [
  ['stand-in', false, false],
  ['real servers', true, skip],
] as const) {
  t.test(
    `endpoints outlive a cut connection to the SIP server (${name})`,
    { skip: skipped },
    async (t) => {
      const node = await startMediaNode(t, { real })
      const media = await call(node)
      await node.cutConnection()
      await media.renewSignalling(node.framework)
      const toPlatform = await media.reofferFrom('caller', `${partyOffer(49_004)}a=sendonly\r\n`)
      t.match(toPlatform, /a=sendonly/)
      t.ok(portOf(toPlatform) > 0)
      await media.close(node.clock.epochMs(), [])
      t.equal(node.pool.servers[0]?.endpoints, 0)
      const next = await call(node)
      await next.close(node.clock.epochMs(), [])
    },
  )
}
