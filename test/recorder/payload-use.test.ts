import t from 'tap'
import { g711Table } from '../../recorder/g711.ts'
import { payloadUses } from '../../recorder/payload-use.ts'
import { streamPlan } from './recording-rig.ts'

t.test('every agreed payload type has its use, and no other has one', async (t) => {
  const uses = payloadUses(
    streamPlan('caller', { relay: { toStreamId: 'agent', otherPayloadTypes: [9, 18] } }),
  )
  t.equal(uses.get(0), g711Table('PCMU'))
  t.equal(uses.get(8), g711Table('PCMA'))
  t.equal(uses.get(101), 'event')
  t.equal(uses.get(13), 'comfortNoise')
  t.same([uses.get(9), uses.get(18)], ['unrecordable', 'unrecordable'])
  t.equal(uses.size, 6)
})

t.test('a type that can be recorded is, whatever else is said of it', async (t) => {
  const uses = payloadUses(
    streamPlan('caller', {
      comfortNoisePayloadTypes: [0],
      relay: { toStreamId: 'agent', otherPayloadTypes: [8] },
    }),
  )
  t.equal(uses.get(0), g711Table('PCMU'))
  t.equal(uses.get(8), g711Table('PCMA'))
})
