import t from 'tap'
import {
  readRecordingRequest,
  recordingSign,
} from '../../../gateway/siprec/recording-session-request.ts'

const NONE = { metadataRaw: null }

function sign(headers: Readonly<Record<string, string | readonly string[]>>, metadataRaw?: string) {
  const read = (name: string) => [headers[name] ?? []].flat()
  return recordingSign(read, metadataRaw === undefined ? NONE : { metadataRaw })
}

t.test('any one sign makes an INVITE a recording session', async (t) => {
  t.equal(sign({ Require: ['100rel', 'timer,siprec'] }), 'require')
  t.equal(sign({ Contact: '<sip:src@x>;+sip.src' }), 'contact')
  t.equal(sign({ Contact: '<sip:src@x>;+sip.src;expires=1' }), 'contact')
  t.equal(sign({ Contact: '"U" <sip:x:5060;transport=tcp;+sip.src>' }), 'contact')
  t.equal(sign({ Contact: '<sip:x>;src' }), 'contact')
  t.equal(sign({}, '<recording/>'), 'metadata')
  t.equal(
    sign({ 'X-Cisco-Recording-Participant': 'sip:1@x;media-index="0"' }),
    'cisco-recording-participant',
  )
  t.equal(sign({ From: '<sip:4001@x;x-nearend;x-refci=1>;tag=1' }), 'cisco-built-in-bridge')
})

t.test('an ordinary call shows none', async (t) => {
  const call = {
    Require: 'timer, siprecx',
    Supported: 'siprec',
    Contact: '<sip:a@x;srcaddr=1>;srcs;sip.srs',
    From: '<sip:a@x;x-farendaddr=1>;tag=1',
  }
  t.equal(sign(call), null)
})

t.test('parts of a vague type are known by their content', async (t) => {
  const body = [
    '--b\r\n\r\n\r\nv=0\r\nm=audio 1 RTP/AVP 0',
    '--b\r\nContent-Type: text/xml\r\n\r\n<?xml version="1.0"?><recording/>',
    '--b--',
  ].join('\r\n')
  const request = readRecordingRequest('multipart/mixed;boundary=b', body)
  t.equal(request.sdp?.media.length, 1)
  t.equal(request.metadataRaw, '<?xml version="1.0"?><recording/>')
  t.equal(readRecordingRequest('', 'v=0\r\nm=audio 1 RTP/AVP 0').sdp?.media.length, 1)
})

t.test('a message without SDP is told from one whose SDP cannot be read', async (t) => {
  t.match(readRecordingRequest('', ''), { sdp: null, hasSdp: false, metadata: null, problems: [] })
  t.match(readRecordingRequest('application/sdp', 'rubbish'), {
    sdp: null,
    hasSdp: true,
    problems: ['session description without an m-line'],
  })
})

t.test('metadata that cannot be read is kept raw beside the offer that can', async (t) => {
  const request = readRecordingRequest(
    'multipart/mixed;boundary=b',
    '--b\r\nContent-Type: application/sdp\r\n\r\nm=audio 1 RTP/AVP 0\r\n--b\r\nContent-Type: application/rs-metadata\r\n\r\n{}\r\n--b--',
  )
  t.match(request, {
    hasSdp: true,
    metadata: null,
    metadataRaw: '{}',
    problems: ['metadata without an element'],
  })
  t.equal(request.sdp?.media.length, 1)
})
