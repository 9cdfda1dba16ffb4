import t from 'tap'
import { readHeaders } from '../../../gateway/sip/read-headers.ts'

const message = [
  'INVITE sip:recorder@192.0.2.10 SIP/2.0',
  'f: "Doe, Jane" <sip:198.51.100.5>;tag=1',
  'X-Cisco-Recording-Participant: sip:+12025550101@example.com;media-index="0"',
  'X-Cisco-Recording-Participant: sip:4001@example.com;media-index="1"',
  'Subject: one',
  '  two',
  '',
  'Contact: not a header any more',
].join('\r\n')

t.test('values of one name stay apart and in order', async (t) => {
  t.strictSame(readHeaders(message)('x-cisco-recording-participant'), [
    'sip:+12025550101@example.com;media-index="0"',
    'sip:4001@example.com;media-index="1"',
  ])
})

t.test('compact forms, folded lines and any case are read', async (t) => {
  t.strictSame(readHeaders(message)('FROM'), ['"Doe, Jane" <sip:198.51.100.5>;tag=1'])
  t.strictSame(readHeaders(message)('Subject'), ['one two'])
})

t.test('the body holds no headers', async (t) => {
  t.strictSame(readHeaders(message)('Contact'), [])
})

t.test('a message cut anywhere is read without a throw', async (t) => {
  for (let end = 0; end <= message.length; end++) {
    t.doesNotThrow(() => readHeaders(message.slice(0, end))('From'))
  }
})
