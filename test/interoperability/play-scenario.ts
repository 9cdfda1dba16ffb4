import type { Test } from 'tap'
import type { EnginePool } from '../../gateway/media/engine-pool.ts'
import { readHeaders } from '../../gateway/sip/read-headers.ts'
import { mediaCapabilities } from '../../gateway/siprec/media-capabilities.ts'
import {
  readRecordingRequest,
  recordingSign,
} from '../../gateway/siprec/recording-session-request.ts'
import type { StreamPlan } from '../../recorder/recording-plan.ts'
import { startSignallingNode } from '../gateway/signalling-node.ts'
import type { PeerMessage } from '../gateway/sip-peer.ts'
import { until } from '../until.ts'
import { contactOutcomes, type TimedEntry } from './contact-outcomes.ts'
import { DialogBook, type OutgoingMessage } from './dialog-book.ts'
import { type ContactOutcome, type MessageOutcome, readMessage, type Scenario } from './scenario.ts'
import { watchedPlane } from './watched-plane.ts'
import { WireClient } from './wire-client.ts'

/** What came of a scenario, in the shape of what is expected of it. */
export interface ScenarioOutcome {
  readonly messages: readonly MessageOutcome[]
  readonly contacts: readonly ContactOutcome[]
}

/**
 * Sends a scenario's messages, each after the last was answered, to a gateway with its own SIP server and framework,
 * and tells what came of each and of all. The gateway ends with `t`; the engines are others' as well.
 */
export async function playScenario(
  scenario: Scenario,
  { t, pool }: { readonly t: Pick<Test, 'teardown'>; readonly pool: EnginePool },
): Promise<ScenarioOutcome> {
  const { configuration, vendor } = scenario
  const { region, crossedStreams, unmarked } = configuration
  const journal: TimedEntry[] = []
  const streams = new Map<string, readonly StreamPlan[]>()
  let now: { readonly file: string; readonly callId: string } = { file: '', callId: '' }
  const node = await startSignallingNode(t, {
    pool,
    ...(unmarked === undefined ? {} : { unmarked }),
    identification: {
      ...(region && { region }),
      ...(crossedStreams && { crossedStreams: [...crossedStreams] }),
    },
    capabilities: mediaCapabilities(['PCMA', 'PCMU', 'G722', 'OPUS', 'G729']),
    beforeAppend: (entry) => journal.push({ at: now.file, entry }),
    watchPlane: (plane) => watchedPlane(plane, (plans) => streams.set(now.callId, plans)),
  })
  const client = await WireClient.open(node)
  t.teardown(() => client.close())
  const dialogs = new DialogBook()
  const open = new Set<string>()
  const messages: MessageOutcome[] = []

  const sent = scenario.messages.map(({ file }) => ({
    file,
    text: readMessage(`${vendor}/${file}`),
  }))
  for (const [at, { file, text }] of sent.entries()) {
    const message = dialogs.address(text)
    now = { file, callId: message.callId }
    client.send(message.transport, message.text)
    if (message.method === 'ACK') {
      await settle(client, message)
      messages.push({ status: null, ...streamsOf(message) })
      continue
    }
    const response = await client.finalResponse(message.callId, message.cseq)
    if (response === null) throw new Error(`${vendor}/${file} had no answer`)
    if (message.method === 'INVITE') {
      const ack = dialogs.acknowledge(message, response)
      // The fixture has an ACK of its own where that carries something.
      const next = sent[at + 1]?.text
      if (next === undefined || !next.startsWith('ACK ')) client.send(message.transport, ack)
      if (response.status < 300) open.add(message.callId)
    }
    if (message.method === 'BYE') open.delete(message.callId)
    await settle(client, message)
    await until(() => node.sessions.count <= open.size)
    messages.push({ ...readingOf(text), ...answerOf(response), ...streamsOf(message) })
  }
  return { messages, contacts: contactOutcomes(journal) }

  function streamsOf({ callId }: OutgoingMessage): Pick<MessageOutcome, 'streams'> {
    const plans = streams.get(callId)
    if (plans === undefined) return {}
    return {
      streams: plans.map(({ streamId, role, isReceiving }) => ({ streamId, role, isReceiving })),
    }
  }
}

let pings = 0

/** What was sent before is taken when a request that was sent after it has its answer. */
export async function settle(
  client: WireClient,
  { transport }: Pick<OutgoingMessage, 'transport'>,
): Promise<void> {
  const number = ++pings
  const callId = `ping-${number}`
  const via = `SIP/2.0/${transport.toUpperCase()} 192.0.2.1;branch=z9hG4bKping${number};rport`
  const lines = [
    'OPTIONS sip:recorder@192.0.2.10 SIP/2.0',
    `Via: ${via}`,
    'Max-Forwards: 70',
    `From: <sip:ping@192.0.2.1>;tag=${number}`,
    'To: <sip:recorder@192.0.2.10>',
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ]
  client.send(transport, lines.join('\r\n'))
  if ((await client.finalResponse(callId, '1 OPTIONS')) === null) throw new Error('no pong')
}

/** How the gateway reads a message: the sign of a recording session, and what is wrong with the body. */
function readingOf(text: string): Pick<MessageOutcome, 'sign' | 'problems'> {
  const headers = readHeaders(text)
  const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1').toString()
  const request = readRecordingRequest(headers('Content-Type')[0] ?? '', body)
  const isFirst = text.startsWith('INVITE ') && !/tag=/.test(headers('To')[0] ?? '')
  return {
    ...(isFirst ? { sign: recordingSign(headers, request) } : {}),
    ...(request.problems.length === 0 ? {} : { problems: request.problems }),
  }
}

function answerOf({ status, body }: PeerMessage): Pick<MessageOutcome, 'status' | 'answer'> {
  const answer = body
    .split('\r\n')
    .filter((line) => /^(m=|a=(recvonly|inactive|sendrecv|sendonly|label:|crypto:))/.test(line))
    .map((line) => line.replace(/^(m=\S+) [1-9]\d*/, '$1 *').replace(/ inline:.*/, ''))
  return { status, ...(answer.length === 0 ? {} : { answer }) }
}
