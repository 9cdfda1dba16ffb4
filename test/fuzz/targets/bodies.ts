import { readCrypto, writeCrypto } from '../../../gateway/sdes/crypto-attribute.ts'
import { planAnswer } from '../../../gateway/siprec/answer-plan.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'
import { readBody } from '../../../gateway/siprec/multipart.ts'
import { readRecordingMetadata } from '../../../gateway/siprec/read-metadata.ts'
import { readSdpOffer } from '../../../gateway/siprec/sdp-offer.ts'
import { readXml } from '../../../gateway/siprec/tolerant-xml.ts'
import { writeAnswer } from '../../../gateway/siprec/write-answer.ts'
import { assertSound, takeWhole } from '../../gateway/siprec/take-whole.ts'
import { bodiesOf } from '../fixtures.ts'
import { type FuzzTarget, Unsound, utf8 } from '../target.ts'

const SDP_WORDS = [
  ...['\r\n', 'm=audio 4000 RTP/AVP 0 8 101', 'm=audio 0 RTP/AVP 0', 'm=video 1 RTP/AVP 99'],
  ...['a=label:1', 'a=sendonly', 'a=inactive', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:96 opus/48000/2'],
  ...['a=fmtp:101 0-15', 'a=ptime:20', 'a=rtcp:4001', 'a=rtcp-mux', 'c=IN IP4 0.0.0.0'],
  ...['c=IN IP6 ::', 'RTP/SAVP', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:', '\u2028', 'b=AS:64'],
]
const XML_WORDS = [
  ...[
    '<',
    '>',
    '/>',
    '</',
    '&amp;',
    '&#x41;',
    '&#x110000;',
    '&lt;',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
  ],
  ...['<!DOCTYPE a [<!ENTITY b "c">]>', '<recording xmlns="urn:ietf:params:xml:ns:recording:1">'],
  ...[
    '<participant ',
    'participant_id="',
    '<stream ',
    'stream_id="',
    '<label>1</label>',
    '<nameID ',
  ],
  ...['<participantstreamassoc>', '<send>', '</send>', '<session ', 'xmlns:a="b"', '\u0000'],
]

/** Everything that an INVITE of a recording session goes through, up to the answer. */
export const sessions: FuzzTarget = {
  name: 'session',
  covers: ['gateway/siprec/', 'gateway/sdes/'],
  seeds: () => bodiesOf('whole'),
  words: [...SDP_WORDS, ...XML_WORDS, '--', 'boundary=', 'Content-Type: application/sdp'],
  maxBytes: 16_384,
  start: () => ({
    take: (input) => {
      const text = utf8(input)
      const end = text.indexOf('\n')
      const [contentType, body] = [text.slice(0, Math.max(0, end)), text.slice(end + 1)]
      const message = { headers: () => [], requestUri: 'sip:x', contentType, body }
      const { request, sdp } = takeWhole(message)
      assertSound(sdp, request.sdp?.media.length)
    },
  }),
}

/** An offer that is read is answered with as many lines, which can be read again. */
export const descriptions: FuzzTarget = {
  name: 'sdp',
  covers: ['gateway/siprec/', 'gateway/sdes/'],
  seeds: () => bodiesOf('sdp'),
  words: SDP_WORDS,
  maxBytes: 8_192,
  start: () => ({
    take: (input) => {
      const reading = readSdpOffer(utf8(input))
      if (reading.kind !== 'offer') return
      const plan = planAnswer(reading.offer, { capabilities: G711_CAPABILITIES })
      if (plan.kind !== 'answer') return
      const ports = plan.streams.map(({ streamId }, at) => {
        const rtpPort = 20_000 + 2 * at
        return { streamId, address: '::1', rtpPort, rtcpPort: rtpPort + 1 }
      })
      const origin = { address: '2001:db8::1', sessionId: '1', version: 1 }
      assertSound(writeAnswer(plan, ports, origin), reading.offer.media.length)
    },
  }),
}

export const multiparts: FuzzTarget = {
  name: 'multipart',
  covers: ['gateway/siprec/multipart'],
  seeds: () => bodiesOf('whole'),
  words: [
    '--',
    '\r\n',
    '\n\n',
    'multipart/mixed;boundary=',
    '"',
    'Content-Type:',
    'Content-Length: 1',
  ],
  maxBytes: 16_384,
  start: () => ({
    take: (input) => {
      const text = utf8(input)
      const end = text.indexOf('\n')
      readBody(text.slice(0, Math.max(0, end)), text.slice(end + 1))
    },
  }),
}

export const metadata: FuzzTarget = {
  name: 'xml',
  covers: ['gateway/siprec/'],
  seeds: () => bodiesOf('xml'),
  words: XML_WORDS,
  maxBytes: 16_384,
  start: () => ({
    take: (input) => {
      const text = utf8(input)
      readXml(text)
      readRecordingMetadata(text)
    },
  }),
}

/** What is read of a lone key is what is written of it. */
export const cryptoAttributes: FuzzTarget = {
  name: 'crypto',
  covers: ['gateway/sdes/'],
  seeds: () => [
    Buffer.from(
      '1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4;inline:QUJjMTIzNDVBYmMxMjM0NUFiYzEyMzQ1QWJjMTIz|2^31|2:4 FEC_ORDER=FEC_SRTP',
    ),
    Buffer.from('2 AEAD_AES_256_GCM inline:AAAA UNENCRYPTED_SRTCP WSH=64'),
  ],
  words: ['AES_256_CM_HMAC_SHA1_32', 'inline:', '|2^48', '|1:4', ';', 'UNENCRYPTED_SRTCP', 'KDR=0'],
  maxBytes: 2_048,
  start: () => ({
    take: (input) => {
      const reading = readCrypto(utf8(input))
      if (reading.kind !== 'usable') return
      const { attribute } = reading
      const [key, ...others] = attribute.keying.keys
      if (others.length > 0 || key?.mki !== '') return
      const again = readCrypto(writeCrypto(attribute))
      const isSame =
        again.kind === 'usable' &&
        again.attribute.keying.suite === attribute.keying.suite &&
        again.attribute.keying.keys[0]?.keyAndSalt === key.keyAndSalt
      if (!isSame) throw new Unsound('another key when written')
    },
  }),
}
