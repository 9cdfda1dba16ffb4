import t from 'tap'
import { JournalOutbox } from '../../storage/journal-outbox.ts'

function keep(outbox: JournalOutbox, ...texts: readonly string[]): void {
  for (const text of texts) outbox.keep({ text, appendedAtMs: 0 })
}

function next(outbox: JournalOutbox): string {
  return outbox.next().reduce((all, { text }) => all + text, '')
}

t.test('one message is under way at a time', async (t) => {
  const outbox = new JournalOutbox()
  keep(outbox, 'a', 'b')
  t.equal(next(outbox), 'ab')
  keep(outbox, 'c')
  t.equal(next(outbox), '')
  t.equal(outbox.count, 3)
  outbox.taken()
  outbox.safe(2)
  t.equal(outbox.count, 1)
  t.equal(next(outbox), 'c')
})

t.test('what memory alone holds is given to the next thread, in its order', async (t) => {
  const outbox = new JournalOutbox()
  keep(outbox, 'a', 'b', 'c')
  next(outbox)
  outbox.taken()
  outbox.safe(1)
  keep(outbox, 'd', 'e')
  t.equal(next(outbox), 'de')
  keep(outbox, 'f')
  let isEmptied = false
  const emptied = outbox.emptied().then(() => {
    isEmptied = true
  })
  outbox.lost()
  t.equal(outbox.isGivenAgain, false)
  t.equal(outbox.count, 3, 'of these a thread has taken none')
  t.equal(next(outbox), 'bcdef')
  t.equal(outbox.isGivenAgain, true)
  t.equal(isEmptied, false)
  outbox.taken()
  await emptied
  t.equal(outbox.unsafeCount, 5)
  // Counted from what this thread was given first.
  outbox.safe(4)
  t.equal(outbox.unsafeCount, 1)
  outbox.safe(5)
  t.equal(outbox.unsafeCount, 0)
})

t.test('what was taken before is no news where it is taken again', async (t) => {
  const outbox = new JournalOutbox()
  keep(outbox, ...Array.from({ length: 600 }, () => 'a'))
  t.equal(next(outbox).length, 500)
  outbox.taken()
  t.equal(outbox.count, 100)
  outbox.lost()
  t.equal(next(outbox).length, 500)
  outbox.taken()
  t.equal(outbox.count, 100)
  t.equal(next(outbox).length, 100)
  outbox.taken()
  t.equal(outbox.count, 0)
})
