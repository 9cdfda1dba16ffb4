import t from 'tap'
import { configSchema } from '../../../config/config.ts'
import { type Answer, planAnswer } from '../../../gateway/siprec/answer-plan.ts'
import { createIdentification } from '../../../gateway/siprec/identification.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'
import { mergeMetadata } from '../../../gateway/siprec/merge-metadata.ts'
import { identifyParties } from '../../../gateway/siprec/parties.ts'
import type { RecordingMetadata } from '../../../gateway/siprec/recording-metadata.ts'
import {
  readRecordingRequest,
  recordingSign,
} from '../../../gateway/siprec/recording-session-request.ts'
import { assignRoles } from '../../../gateway/siprec/stream-roles.ts'
import { writeAnswer } from '../../../gateway/siprec/write-answer.ts'
import { fixtureNames, readExpected, readFixture } from './fixture.ts'

const config = configSchema.parse({})
const serviceNumbers = config.serviceLines.flatMap((line) => line.numbers)

interface Known {
  readonly metadata: RecordingMetadata | null
  readonly answer: Answer | undefined
}

/** Takes a message after those that came before it, as a session does. */
function take(name: string) {
  const fixture = readFixture(name)
  const expected = readExpected(name)
  const before: Known =
    expected.previous === undefined
      ? { metadata: null, answer: undefined }
      : take(expected.previous).after
  const request = readRecordingRequest(fixture.contentType, fixture.body)
  const metadata =
    request.metadata === null ? before.metadata : mergeMetadata(before.metadata, request.metadata)
  const settings = createIdentification({
    ...config.identification,
    region: expected.region ?? config.identification.region,
  })
  const parties = identifyParties({ ...fixture, metadata, serviceNumbers, settings })
  const plan =
    request.sdp === null
      ? null
      : planAnswer(request.sdp, {
          capabilities: G711_CAPABILITIES,
          ...(before.answer === undefined ? {} : { previous: before.answer }),
        })
  const answer = plan?.kind === 'answer' ? plan : undefined
  const roles = answer && assignRoles(answer, { metadata, parties })
  const after: Known = {
    metadata,
    answer: answer && roles ? { ...answer, streams: roles.streams } : before.answer,
  }
  return { fixture, expected, request, parties, answer, roles, after }
}

function answerLines(answer: Answer): readonly string[] {
  const ports = answer.streams.map(({ streamId }, at) => ({
    streamId,
    address: '192.0.2.10',
    rtpPort: 20_000 + 2 * at,
    rtcpPort: 20_001 + 2 * at,
  }))
  const sdp = writeAnswer(answer, ports, { address: '192.0.2.10', sessionId: '1', version: 1 })
  return sdp.split('\r\n').filter((line) => /^(m=|a=(recvonly|inactive|label:))/.test(line))
}

for (const name of fixtureNames()) {
  t.test(`${name} gives its parties, its streams and its answer`, async (t) => {
    const { fixture, expected, request, parties, answer, roles } = take(name)
    t.equal(recordingSign(fixture.headers, request), expected.sign ?? null)
    t.same(request.problems, expected.problems)
    t.equal(parties.caller.display, expected.caller)
    t.equal(parties.caller.isWithheld, expected.callerWithheld)
    t.equal(parties.serviceNumber.display, expected.serviceNumber)
    t.equal(parties.agent, expected.agent)
    t.equal(parties.direction, expected.direction)
    t.same(parties.foundIn, expected.foundIn)
    t.same(roles?.foundIn ?? null, expected.rolesFoundIn)
    t.same(answer ? answerLines(answer) : null, expected.answer)
    const streams = roles?.streams.map(({ streamId, role, isReceiving, formats }) => ({
      streamId,
      role,
      isReceiving,
      payloadTypes: formats.map((format) => format.payloadType),
    }))
    t.same(streams ?? null, expected.streams)
  })
}
