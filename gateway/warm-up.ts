import type { MediaCapabilities } from './siprec/media-capabilities.ts'
import { MediaNegotiation } from './siprec/media-negotiation.ts'
import { readRecordingRequest } from './siprec/recording-session-request.ts'
import { SessionKnowledge, type SessionKnowledgeOptions } from './siprec/session-knowledge.ts'

const BODY = `--b
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 40000 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
a=sendonly
a=label:1
m=audio 40002 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
a=sendonly
a=label:2
--b
Content-Type: application/rs-metadata+xml

<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
<session session_id="s"/>
<participant participant_id="p"><nameID aor="sip:+12025550147@192.0.2.1"/></participant>
<participant participant_id="q"><nameID aor="sip:2000@192.0.2.1"/></participant>
<stream stream_id="t" session_id="s"><label>1</label></stream>
<stream stream_id="u" session_id="s"><label>2</label></stream>
<participantstreamassoc participant_id="p"><send>t</send></participantstreamassoc>
<participantstreamassoc participant_id="q"><send>u</send></participantstreamassoc></recording>
--b--
`.replaceAll('\n', '\r\n')

/** Enough for the engine to compile what each call runs. */
const ROUNDS = 50

/**
 * Reads and answers a made-up recording session many times over. The first calls after a start would else pay for
 * compiling all that, and for the number plans being unpacked: tens of milliseconds each.
 */
export function warmUp(
  capabilities: MediaCapabilities,
  settings: Pick<SessionKnowledgeOptions, 'identification' | 'lines'>,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const message = readRecordingRequest('multipart/mixed;boundary=b', BODY)
    const knowledge = new SessionKnowledge({
      ...settings,
      headers: (name) => (name === 'From' ? ['<sip:+12025550147@192.0.2.1>;tag=1'] : []),
      requestUri: 'sip:+12025550100@192.0.2.2',
    })
    knowledge.learn(message)
    const negotiation = new MediaNegotiation({
      capabilities,
      sessionId: '1',
      clientAddress: '192.0.2.1',
    })
    if (message.sdp === null) return
    const judgement = negotiation.judge(message.sdp)
    if (judgement.kind !== 'changed') return
    const plan = knowledge.assignRoles(judgement.plan)
    negotiation.agree(
      plan,
      plan.streams.map(({ streamId }) => ({
        streamId,
        address: '192.0.2.2',
        rtpPort: 20_000,
        rtcpPort: 20_001,
      })),
    )
  }
}
