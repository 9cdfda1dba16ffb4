import t from 'tap'
import { readRecordingRequest } from '../../../gateway/siprec/recording-session-request.ts'
import { objectionToSession } from '../../../gateway/siprec/session-objection.ts'
import { fixtureNames, readFixture } from './fixture.ts'

function objection(headers: Readonly<Record<string, readonly string[]>>, body = '') {
  const [type = ''] = headers['Content-Type'] ?? []
  const message = readRecordingRequest(type, body)
  return objectionToSession((name) => headers[name] ?? [], { message, body })
}

t.test('no client that is known is refused for its extensions or types', async (t) => {
  t.ok(fixtureNames().length > 0)
  for (const name of fixtureNames()) {
    const { headers, contentType, body } = readFixture(name)
    const message = readRecordingRequest(contentType, body)
    t.equal(objectionToSession(headers, { message, body }), undefined, name)
  }
})

t.test('an extension that a session does not have is named', async (t) => {
  t.equal(objection({ Require: ['siprec', 'timer, 100rel', 'Replaces'] }), undefined)
  t.same(objection({ Require: ['siprec, precondition', 'x-new, x-new'] }), {
    status: 420,
    reason: 'Bad Extension',
    headers: { Unsupported: 'precondition, x-new' },
  })
})

t.test('a body that nobody can read is told what can be', async (t) => {
  const unknown = objection({ 'Content-Type': ['application/unknownformat'] }, 'x')
  t.match(unknown, { status: 415, headers: { Accept: /application\/sdp/ } })
  t.equal(objection({ 'Content-Type': ['application/unknownformat'] }), undefined, 'without one')
  t.equal(objection({ 'Content-Type': ['multipart/mixed;boundary=x'] }, 'broken'), undefined)
  t.equal(objection({ 'Content-Type': ['text/plain'] }, 'v=0'), undefined)
})

t.test('only a client that takes nothing of ours is told so', async (t) => {
  t.match(objection({ Accept: ['text/nobodyKnowsThis'] }), { status: 406 })
  for (const accept of ['*/*', 'application/*', 'text/x, application/sdp;level=1', '']) {
    t.equal(objection({ Accept: [accept] }), undefined, accept)
  }
  t.equal(objection({ Accept: ['application/rs-metadata-request'] }), undefined)
})
