import t from 'tap'
import { RecordingSpan } from '../../recorder/recording-span.ts'
import { ManualClock } from '../manual-clock.ts'

/** A span on a clock that stands at one second. */
function opened() {
  const clock = new ManualClock()
  clock.advance(1000)
  return { clock, span: new RecordingSpan(clock) }
}

t.test('before the answer there is nothing', async (t) => {
  const { clock, span } = opened()
  t.equal(span.openedAt, 8000)
  t.equal(span.answer, undefined)
  t.equal(span.takenSamples, 0)
  t.equal(span.callSamples, 0)
  t.equal(span.startedAtMs, clock.epochMs())
  clock.advance(500)
  span.endAt(clock.epochMs())
  t.equal(span.callSamples, 0)
})

t.test('slots count from the answer, and the call to its end', async (t) => {
  const { clock, span } = opened()
  clock.advance(500)
  const answeredAtMs = clock.epochMs()
  clock.advance(30)
  t.equal(span.answerAt(answeredAtMs, 0), 12_000)
  span.step()
  span.step()
  t.equal(span.next, 12_320)
  t.equal(span.takenSamples, 320)
  clock.advance(970)
  t.equal(span.endAt(clock.epochMs() - 100), 19_200)
  t.equal(span.callSamples, 7200)
  t.equal(span.startedAtMs, answeredAtMs)
})

t.test('the answer is not before the opening, nor before what is held', async (t) => {
  const { clock, span } = opened()
  t.equal(span.answerAt(clock.epochMs() - 700, 0), 8000)
  const { span: other } = opened()
  t.equal(other.answerAt(clock.epochMs(), 9000), 9000)
})

t.test('the end is not before the answer, nor in the future', async (t) => {
  const { clock, span } = opened()
  span.answerAt(clock.epochMs(), 0)
  t.equal(span.endAt(clock.epochMs() - 5000), 8000)
  t.equal(span.callSamples, 0)
  const { span: other } = opened()
  t.equal(other.endAt(clock.epochMs() + 5000), 8000)
})

t.test('a lead-in begins the file before the answer, and makes no call longer', async (t) => {
  const { clock, span } = opened()
  const answeredAtMs = clock.epochMs()
  span.answerAt(answeredAtMs, 0)
  span.leadIn(2)
  t.equal(span.start, 8000 - 320)
  t.equal(span.next, 8000 - 320)
  t.equal(span.startedAtMs, answeredAtMs - 40)
  clock.advance(100)
  span.endAt(clock.epochMs())
  t.equal(span.callSamples, 800)
})
