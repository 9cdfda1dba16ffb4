import t from 'tap'
import { levelDb, QuietDetector } from '../../recorder/quiet-detector.ts'

const LOUD = 160 * 1000 ** 2
const QUIET = 160 * 20 ** 2

/** Which of these slots are skipped. */
function skipped(energies: readonly number[]): string {
  const detector = new QuietDetector(-55)
  return energies
    .map((energy, index) =>
      detector.isSkippable(energy, (slots) => energies[index + slots] ?? 0) ? '-' : 'x',
    )
    .join('')
}

function slots(pattern: string): number[] {
  return [...pattern].map((slot) => (slot === '#' ? LOUD : QUIET))
}

t.test('a line that is quiet from the start is not encoded', async (t) => {
  t.equal(skipped(slots('.....')), '-----')
})

t.test('encoding goes on for 200 ms after sound, and begins 40 ms before it', async (t) => {
  t.equal(skipped(slots('....##..............#...')), '--xxxxxxxxxxxxxx--xxxxxx')
})

t.test('a short pause within speech is encoded', async (t) => {
  t.equal(skipped(slots('#.........#')), 'xxxxxxxxxxx')
})

t.test('each slot of a quiet line is looked at once before its turn', async (t) => {
  const detector = new QuietDetector(-55)
  const looked: number[] = []
  for (let slot = 0; slot < 20; slot++) {
    detector.isSkippable(QUIET, (slots) => {
      looked.push(slot + slots)
      return QUIET
    })
  }
  t.same(looked, [2, 1, ...Array.from({ length: 19 }, (_, index) => index + 3)])
})

t.test('levels are relative to full scale', async (t) => {
  t.equal(levelDb(0, 1), -100)
  t.equal(Math.round(levelDb(160 * 32_768 ** 2, 1)), 0)
  t.equal(Math.round(levelDb(5 * 160 * 327.68 ** 2, 5)), -40)
})
