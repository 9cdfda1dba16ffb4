import { configSchema } from '../../../config/config.ts'
import { planAnswer } from '../../../gateway/siprec/answer-plan.ts'
import { createIdentification } from '../../../gateway/siprec/identification.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'
import { identifyParties } from '../../../gateway/siprec/parties.ts'
import {
  readRecordingRequest,
  recordingSign,
} from '../../../gateway/siprec/recording-session-request.ts'
import { readSdpOffer } from '../../../gateway/siprec/sdp-offer.ts'
import { assignRoles } from '../../../gateway/siprec/stream-roles.ts'
import { writeAnswer } from '../../../gateway/siprec/write-answer.ts'
import type { Fixture } from './fixture.ts'

const settings = createIdentification(configSchema.parse({}).identification)
const serviceNumbers = ['+12025550100']

/** Everything that a message of a recording session goes through; tells what came out. */
export function takeWhole(
  message: Pick<Fixture, 'headers' | 'requestUri' | 'contentType' | 'body'>,
  request = readRecordingRequest(message.contentType, message.body),
) {
  recordingSign(message.headers, request)
  const parties = identifyParties({
    ...message,
    metadata: request.metadata,
    serviceNumbers,
    settings,
  })
  if (request.sdp === null) return { request, parties, sdp: null }
  const plan = planAnswer(request.sdp, { capabilities: G711_CAPABILITIES })
  if (plan.kind !== 'answer') return { request, parties, sdp: null }
  const { streams } = assignRoles(plan, { metadata: request.metadata, parties })
  const ports = streams.map(({ streamId }, at) => ({
    streamId,
    address: '::1',
    rtpPort: 20_000 + 2 * at,
    rtcpPort: 20_001 + 2 * at,
  }))
  const origin = { address: '2001:db8::1', sessionId: '1', version: 1 }
  return { request, parties, sdp: writeAnswer(plan, ports, origin) }
}

/** An answer is read back as a description with as many m-lines, all of them ours to write. */
export function assertSound(sdp: string | null, media: number | undefined): void {
  if (sdp === null) return
  const reading = readSdpOffer(sdp)
  if (reading.kind !== 'offer' || reading.offer.media.length !== media) {
    throw new Error(`unsound answer: ${sdp}`)
  }
}
