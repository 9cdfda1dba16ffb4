import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { soundsLikeKey } from '../../recorder/dtmf-tones.ts'
import { g711Table } from '../../recorder/g711.ts'
import { ToneFilter } from '../../recorder/tone-filter.ts'
import { tone, toneShare } from './tones.ts'

const ROWS = [697, 770, 852, 941]
const COLUMNS = [1209, 1336, 1477, 1633]
const VOICES = join(import.meta.dirname, '..', '..', '..', 'cli', 'demo', 'voices')

function mixed(...parts: readonly Int16Array[]): Int16Array {
  const length = Math.max(...parts.map((part) => part.length))
  return Int16Array.from({ length }, (_, index) =>
    parts.reduce((sum, part) => sum + (part[index] ?? 0), 0),
  )
}

/** A key of so many milliseconds; the column is louder than the row by some decibels. */
function key(row: number, column: number, ms: number, twistDb = 0): Int16Array {
  const louder = 10 ** (twistDb / 20)
  return mixed(tone(row, 0, ms * 8, 4000), tone(column, 0, ms * 8, 4000 * louder))
}

/** Sounds one after the other. */
function joined(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]))
}

/** What is left of audio, slot by slot, and how many slots were silenced. */
function filtered(audio: Int16Array): { readonly left: Int16Array; readonly silenced: number } {
  const left = Int16Array.from(audio)
  let next = 0
  let silenced = 0
  const filter = new ToneFilter({
    peek: (ahead, window) => {
      for (let index = 0; index < window.length; index++) {
        window[index] = audio[next + ahead + index] ?? 0
      }
    },
  })
  for (let at = 0; at + 160 <= audio.length; at += 160) {
    next = at + 160
    if (!filter.isTone()) continue
    left.fill(0, at, at + 160)
    silenced++
  }
  return { left, silenced }
}

t.test('every key is taken out, wherever it begins, however short', async (t) => {
  for (const row of ROWS) {
    for (const column of COLUMNS) {
      for (const [offset, ms] of [
        [0, 40],
        [7, 50],
        [13, 45],
        [19, 100],
        [3, 1000],
      ] as const) {
        for (const twistDb of [-6, 0, 8]) {
          const pressed = key(row, column, ms, twistDb)
          const audio = joined(
            tone(300, 0, 800 + offset * 8, 3000),
            pressed,
            tone(300, 0, 800, 3000),
          )
          const { left } = filtered(audio)
          const from = 800 + offset * 8
          const rest = left.subarray(from, from + pressed.length)
          t.ok(
            rest.every((sample) => sample === 0),
            `${row} ${column} ${offset} ${ms} ${twistDb}`,
          )
        }
      }
    }
  }
})

t.test('what stands a little off a key stays', async (t) => {
  const before = tone(300, 0, 1600, 3000)
  const { left } = filtered(joined(before, key(770, 1336, 60), before))
  t.ok(toneShare(left.subarray(0, 1600 - 320), 300) > 0.99)
  t.ok(toneShare(left.subarray(1600 + 480 + 480), 300) > 0.99)
})

t.test('single tones, dial tones, noise and quiet are no keys', async (t) => {
  const noise = Int16Array.from({ length: 8000 }, () => Math.round((Math.random() - 0.5) * 8000))
  for (const audio of [
    tone(697, 0, 4000, 8000),
    tone(1336, 0, 4000, 8000),
    tone(425, 0, 4000, 8000),
    mixed(tone(350, 0, 4000), tone(440, 0, 4000)),
    mixed(tone(480, 0, 4000), tone(620, 0, 4000)),
    mixed(tone(2100, 0, 4000), tone(1100, 0, 4000)),
    noise,
    new Int16Array(4000),
    key(770, 1336, 500).map((sample) => sample / 256),
  ]) {
    t.equal(filtered(audio).silenced, 0)
  }
  t.notOk(soundsLikeKey(new Int16Array(160)))
})

t.test('of speech next to nothing is taken for a key', async (t) => {
  const table = g711Table('PCMU')
  let slots = 0
  let silenced = 0
  for (const file of readdirSync(VOICES).filter((name) => name.endsWith('.ulaw'))) {
    const voice = Int16Array.from(readFileSync(join(VOICES, file)), (byte) => table[byte] ?? 0)
    slots += voice.length / 160
    silenced += filtered(voice).silenced
  }
  t.ok(slots > 300)
  t.ok(silenced / slots < 0.01, `${silenced} of ${slots} slots`)
})
