import t from 'tap'
import { mergeMetadata } from '../../../gateway/siprec/merge-metadata.ts'
import { isPausing } from '../../../gateway/siprec/pausing-offer.ts'
import type { RecordingMetadata } from '../../../gateway/siprec/recording-metadata.ts'
import { readRecordingRequest } from '../../../gateway/siprec/recording-session-request.ts'
import { readSdpOffer } from '../../../gateway/siprec/sdp-offer.ts'
import { offer } from '../recording-offer.ts'
import { fixtureNames, readFixture } from './fixture.ts'

function read(name: string) {
  const { contentType, body } = readFixture(name)
  return readRecordingRequest(contentType, body)
}

/** Whether the second message of a session pauses it, all that the first told being known. */
function isPausedBy(second: string, first: string): boolean | null {
  const { sdp, metadata } = read(second)
  if (sdp === null) return null
  const known = read(first).metadata
  return isPausing(sdp, metadata === null ? known : mergeMetadata(known, metadata))
}

/** Vendors' pauses that look like a hold: the address says so, and no more is said. */
const LIKE_A_HOLD = new Set(['broadworks/pause'])
/** Vendors' holds that look like a pause: plain `inactive`, and metadata that is silent or unchanged. */
const LIKE_A_PAUSE = new Set([
  'audiocodes/legacy-hold',
  'audiocodes/rfc7865-hold',
  'avaya-sbce/hold',
  'broadworks/hold',
  'cisco-network-recording/hold',
  'kamailio-rtpengine/hold',
  'oracle/hold',
  'ribbon/hold',
  'sems/hold',
  'telnyx/hold',
])

t.test('pauses of vendors are told apart from their holds, where anything tells', async (t) => {
  const names = fixtureNames()
  const told = names.filter((one) => /\/(\w+-)?(pause|hold)$/.test(one))
  t.ok(told.some((name) => name.endsWith('pause')))
  for (const name of [...LIKE_A_HOLD, ...LIKE_A_PAUSE]) t.ok(told.includes(name), name)
  for (const name of told) {
    const [vendor] = name.split('/')
    const first = names.find((one) => one.startsWith(`${vendor}/`) && one.endsWith('invite'))
    const isPaused = isPausedBy(name, first ?? name)
    if (isPaused === null) continue
    const isPause = name.endsWith('pause')
    const wanted = isPause ? !LIKE_A_HOLD.has(name) : LIKE_A_PAUSE.has(name)
    t.equal(isPaused, wanted, name)
  }
})

const participant = (sends: readonly string[] | null) => ({
  id: 'p',
  names: [],
  sessions: [],
  sends,
  receives: null,
  hasSent: sends ?? [],
})

function metadataOf(sends: readonly (readonly string[] | null)[]): RecordingMetadata {
  const participants = sends.map(participant)
  return { dataMode: 'complete', sessions: [], participants, streams: [], vendorFields: [] }
}

t.test('a pause is every line inactive while all who speak still do', async (t) => {
  const isPaused = (sdp: string, metadata: RecordingMetadata | null = null) => {
    const reading = readSdpOffer(sdp)
    return reading.kind === 'offer' && isPausing(reading.offer, metadata)
  }
  const lines = (...directions: ('sendonly' | 'inactive' | 'sendrecv')[]) =>
    offer(directions.map((direction, index) => ({ port: 40_000 + index * 2, direction })))
  t.equal(isPaused(lines('inactive', 'inactive')), true)
  t.equal(isPaused(lines('inactive', 'sendonly')), false)
  t.equal(isPaused(lines()), false, 'nothing is offered')
  t.equal(
    isPaused(lines('inactive').replace('IN IP4 127.0.0.1\r\nt=', 'IN IP4 0.0.0.0\r\nt=')),
    false,
  )
  t.equal(isPaused(lines('inactive'), metadataOf([['t1'], ['t2']])), true)
  t.equal(isPaused(lines('inactive'), metadataOf([['t1'], []])), false, 'one has ceased to speak')
  t.equal(isPaused(lines('inactive'), metadataOf([null, null])), true, 'nothing is said of them')
})

t.test('what is told of recording towards other parties pauses nothing', async (t) => {
  const line = { port: 40_000, attributes: ['a=record:paused', 'a=recordpref:pause'] }
  const reading = readSdpOffer(offer([line]))
  t.ok(reading.kind === 'offer' && !isPausing(reading.offer, null))
})
