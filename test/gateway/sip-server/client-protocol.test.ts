import fc from 'fast-check'
import t from 'tap'
import { FrameReader, frameText } from '../../../gateway/sip-server/client-protocol.ts'

const SIP =
  'id-1|sip||dialog-1\r\nBYE sip:placeholder SIP/2.0\r\nX-A: b\r\nX-C: d\r\n\r\nbody\r\n\r\nmore'

t.test('a frame gives its fields and the parts of its message', async (t) => {
  t.same(new FrameReader(1_000).push(frameText(SIP)), [
    {
      kind: 'frame',
      frame: {
        id: 'id-1',
        kind: 'sip',
        fields: ['', 'dialog-1'],
        startLine: 'BYE sip:placeholder SIP/2.0',
        headers: 'X-A: b\r\nX-C: d',
        body: 'body\r\n\r\nmore',
      },
    },
  ])
})

t.test('frames come whole however the stream is cut', async (t) => {
  const stream = frameText(SIP) + frameText('id-2|ping')
  const wrong: number[] = []
  for (let at = 0; at <= stream.length; at += 1) {
    const reader = new FrameReader(1_000)
    const outcomes = [...reader.push(stream.slice(0, at)), ...reader.push(stream.slice(at))]
    const ids = outcomes.map((outcome) => outcome.kind === 'frame' && outcome.frame.id)
    if (ids.join() !== 'id-1,id-2') wrong.push(at)
  }
  t.same(wrong, [], 'cuts that came out otherwise')
})

t.test('a length that is none, or too large, breaks the stream', async (t) => {
  for (const bad of [
    'x#abc',
    '#',
    '0#',
    '1001#',
    '99999999',
    '-5#abc',
    'GET / HTTP/1.1\r\n',
    '1e2#a',
  ]) {
    const reader = new FrameReader(1_000)
    t.match(reader.push(bad), [{ kind: 'broken' }], bad)
    t.same(reader.push(frameText('id|ping')), [], 'nothing more is read')
  }
})

t.test('no stream makes it throw', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 30 })), (pieces) => {
      const reader = new FrameReader(100)
      for (const piece of pieces) reader.push(piece)
    }),
  )
  t.pass('nothing threw')
})
