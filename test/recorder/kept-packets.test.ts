import t from 'tap'
import { KeptPackets } from '../../recorder/kept-packets.ts'

const SLOT = 160

/** A packet that tells which it is. */
const numbered = (index: number) => Uint8Array.of(0, index)

/** What the slots from 0 on are given, by number. */
function taken(kept: KeptPackets, slots: number): (number | undefined)[] {
  return Array.from({ length: slots }, (_, slot) => kept.takeFor(slot * SLOT)?.[1])
}

t.test('packets that begin anywhere go to the slots that follow each other', async (t) => {
  for (const phase of [-79, -40, 0, 40, 79]) {
    const kept = new KeptPackets()
    for (const index of [1, 0, 2, 3]) kept.add(SLOT + phase + index * SLOT, numbered(index))
    t.same(taken(kept, 6), [undefined, 0, 1, 2, 3, undefined])
  }
})

t.test('a leg that is moved by some samples loses and doubles nothing', async (t) => {
  const kept = new KeptPackets()
  for (let index = 0; index < 10; index++) kept.add(70 + index * 162, numbered(index))
  t.same(taken(kept, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

t.test('a leg that drifts by 13 ms leaves a slot free, or a packet out', async (t) => {
  const late = new KeptPackets()
  for (let index = 0; index < 12; index++) late.add(index * 172, numbered(index))
  t.same(taken(late, 12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, undefined, 10])
  const early = new KeptPackets()
  for (let index = 0; index < 12; index++) early.add(index * 148, numbered(index))
  t.same(taken(early, 11), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11])
})

t.test('what is missing leaves its slot free, and what is moved goes with the leg', async (t) => {
  const kept = new KeptPackets()
  for (const index of [0, 1, 4, 5]) kept.add(1000 + index * SLOT, numbered(index))
  kept.moveEarlier(0, 1000)
  t.same(taken(kept, 7), [0, 1, undefined, undefined, 4, 5, undefined])
})
