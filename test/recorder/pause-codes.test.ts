import t from 'tap'
import { PauseCodeReader } from '../../recorder/pause-codes.ts'

const CODES = { pause: '*71', resume: '*70' }

/** What each key of a text completes, pressed at its pace. */
function typed(keys: string, everyMs = 300, reader = new PauseCodeReader()) {
  return [...keys].flatMap(
    (key, at) => reader.press(key, { atMs: at * everyMs, codes: CODES }) ?? [],
  )
}

t.test('a code is its keys one after the other, whatever was typed before', async (t) => {
  t.same(typed('*71'), ['pause'])
  t.same(typed('123**71456*70#'), ['pause', 'resume'])
  t.same(typed('*7*71'), ['pause'])
  t.same(typed('*7171'), ['pause'], 'a key belongs to one code')
  t.same(typed('71*'), [])
})

t.test('keys that are far apart are no code', async (t) => {
  t.same(typed('*71', 4000), ['pause'])
  t.same(typed('*71', 4001), [])
})
