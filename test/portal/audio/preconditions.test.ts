import t from 'tap'
import { evaluatePreconditions, isRangeCurrent } from '../../../portal/audio/preconditions.ts'

const ETAG = '"abc"'
const MODIFIED = 'Thu, 15 Jan 2026 08:30:00 GMT'
const EARLIER = 'Thu, 15 Jan 2026 08:29:59 GMT'
const LATER = 'Thu, 15 Jan 2026 08:30:01 GMT'
// Files are dated finer than headers: the fraction must not make a file newer than its own date.
const validators = { etag: ETAG, modifiedAtMs: Date.UTC(2026, 0, 15, 8, 30, 0, 789) }

function evaluate(headers: Record<string, string>) {
  return evaluatePreconditions(headers, validators)
}

t.test('without conditions the request proceeds', (t) => {
  t.equal(evaluate({}), 'proceed')
  t.end()
})

t.test('If-None-Match is weak and finds its tag in a list', (t) => {
  for (const header of [
    ETAG,
    '*',
    `W/${ETAG}`,
    `"x", ${ETAG}`,
    `"x",W/${ETAG} , "y"`,
    `"a,b",${ETAG}`,
  ]) {
    t.equal(evaluate({ 'if-none-match': header }), 'not_modified', header)
  }
  for (const header of ['"x"', 'abc', '"ABC"', '', '"abc', '""']) {
    t.equal(evaluate({ 'if-none-match': header }), 'proceed', header)
  }
  t.end()
})

t.test('If-Match is strong', (t) => {
  for (const header of [ETAG, '*', `"x", ${ETAG}`]) {
    t.equal(evaluate({ 'if-match': header }), 'proceed', header)
  }
  for (const header of [`W/${ETAG}`, '"x"', 'abc', '']) {
    t.equal(evaluate({ 'if-match': header }), 'failed', header)
  }
  t.end()
})

t.test('dates compare in whole seconds', (t) => {
  t.equal(evaluate({ 'if-modified-since': MODIFIED }), 'not_modified')
  t.equal(evaluate({ 'if-modified-since': LATER }), 'not_modified')
  t.equal(evaluate({ 'if-modified-since': EARLIER }), 'proceed')
  t.equal(evaluate({ 'if-unmodified-since': MODIFIED }), 'proceed')
  t.equal(evaluate({ 'if-unmodified-since': EARLIER }), 'failed')
  t.end()
})

t.test('all three forms of a date are read, and what is none is ignored', (t) => {
  for (const date of ['Thursday, 15-Jan-26 08:30:00 GMT', 'Thu Jan 15 08:30:00 2026']) {
    t.equal(evaluate({ 'if-modified-since': date }), 'not_modified', date)
    t.equal(isRangeCurrent(date, validators), true, date)
  }
  for (const date of ['', '2026', '2027-01-01T00:00:00Z', 'Thu, 99 Foo 2026 08:30:00 GMT', 'now']) {
    t.equal(evaluate({ 'if-modified-since': date }), 'proceed', date)
    t.equal(evaluate({ 'if-unmodified-since': date }), 'proceed', date)
  }
  t.end()
})

t.test('a tag goes before a date, and If-Match before If-None-Match', (t) => {
  t.equal(evaluate({ 'if-none-match': '"x"', 'if-modified-since': LATER }), 'proceed')
  t.equal(evaluate({ 'if-match': ETAG, 'if-unmodified-since': EARLIER }), 'proceed')
  t.equal(evaluate({ 'if-match': '"x"', 'if-none-match': ETAG }), 'failed')
  t.end()
})

t.test('If-Range wants the exact version', (t) => {
  t.equal(isRangeCurrent(undefined, validators), true)
  t.equal(isRangeCurrent(ETAG, validators), true)
  t.equal(isRangeCurrent(MODIFIED, validators), true)
  for (const header of [`W/${ETAG}`, '"x"', LATER, EARLIER, '*', '', `${ETAG}, "x"`]) {
    t.equal(isRangeCurrent(header, validators), false, header)
  }
  t.end()
})

t.test('content that is not known for sure has no tag to match', (t) => {
  const unsure = { ...validators, etag: undefined }
  t.equal(evaluatePreconditions({ 'if-none-match': ETAG }, unsure), 'proceed')
  t.equal(evaluatePreconditions({ 'if-match': ETAG }, unsure), 'failed')
  t.equal(isRangeCurrent(ETAG, unsure), false)
  t.end()
})
