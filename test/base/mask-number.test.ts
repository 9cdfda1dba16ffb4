import t from 'tap'
import { maskIfLong, maskNumber, maskNumbersIn } from '../../base/mask-number.ts'

t.test('two digits of a number are left, and nothing of a short one', (t) => {
  t.equal(maskNumber('+12025550147'), '…47')
  t.equal(maskNumber('4001'), '…')
  for (const none of [null, undefined, '']) t.equal(maskNumber(none), '(none)')
  t.end()
})

t.test('names and extensions stay whole where only long numbers are masked', (t) => {
  for (const whole of ['4001', 'agent-47', '123456']) t.equal(maskIfLong(whole), whole)
  for (const number of ['+12025550147', '12025550147', '+1 202 555-0147']) {
    t.equal(maskIfLong(number), '…47')
  }
  t.end()
})

t.test('a sentence keeps its words and its paths, and no number', (t) => {
  t.equal(
    maskNumbersIn("Duplicate entry '+12025550147' for key 'x2025550101'"),
    "Duplicate entry '…47' for key 'x…01'",
  )
  for (const whole of ['Data too long at row 123456', 'connect ENOENT /srv/20261126/db.sock']) {
    t.equal(maskNumbersIn(whole), whole)
  }
  t.end()
})
