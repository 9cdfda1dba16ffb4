import { TallenneError } from '../../base/tallenne-error.ts'
import { PortalClient } from '../api/portal-client.ts'
import { formatLength } from '../demo/live-line.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { codecsOf, describeSession, mask } from '../replay/describe-sessions.ts'
import { GatewayLinks } from '../replay/gateway-links.ts'
import { playSessions, type ReplayOutcome } from '../replay/play-sessions.ts'
import { type CaptureContent, readCapture } from '../replay/read-capture.ts'
import type { ReplaySession } from '../replay/replay-session.ts'
import type { SipTransport } from '../replay/sip-carrier.ts'
import { readAddress } from '../up/address.ts'
import { type Given, hasFlag, type Terminal, textOption, type Verb } from '../verb.ts'

/** What gateways take. */
const FASTEST = 8

/** Plays a capture to a gateway. */
export const replayVerb: Verb = {
  name: 'replay',
  help: `Usage: tallenne replay FILE [--dry-run] [--call N] [--sdp FILE] [--speed N]
                            [--transport udp|tcp] [--to HOST:PORT]

Plays what a capture (pcap or pcapng) holds to a running gateway, and tells what was recorded of
it: the way to try a site's own trace before going live. Recording sessions are played as they
were captured, from this machine's addresses; calls that are none are wrapped in one; RTP without
signalling is played as far as its payload types speak for themselves, or a description is given.
Media goes in its own time, as its packets came. The exit code is 0 where all is complete.

  --dry-run              only tell what the capture holds
  --call N               play this one alone (else all)
  --sdp FILE             the description of RTP that was captured without signalling
  --speed N              so many times as fast, up to ${FASTEST}; the gateway's clock for the recording
                         goes as fast. Gateways take that from this machine alone
  --caller NUMBER        caller of media that was captured without signalling
  --service-number NUMBER  what was dialled there
  --transport udp|tcp    what SIP goes over (else as it was captured, and UDP for RTP alone)
  --to HOST:PORT         where the gateway listens for SIP (else as configured)
  --json                 as data
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    'dry-run': { type: 'boolean' },
    call: { type: 'string' },
    sdp: { type: 'string' },
    speed: { type: 'string' },
    caller: { type: 'string' },
    'service-number': { type: 'string' },
    transport: { type: 'string' },
    to: { type: 'string' },
    json: { type: 'boolean' },
  },
  words: ['FILE'],
  run: async (given, terminal) => {
    const [path = ''] = given.words
    const chosen = readCount(given, 'call', Number.MAX_SAFE_INTEGER)
    const speed = readCount(given, 'speed', FASTEST) ?? 1
    const isDry = hasFlag(given, 'dry-run')
    const content = readCapture(path, {
      sdpPath: textOption(given, 'sdp'),
      chosen: isDry ? 0 : chosen,
    })
    const print = hasFlag(given, 'json') ? () => {} : terminal.print
    for (const line of describeContent(content)) print(line)
    const sessions = choose(content, chosen)
    if (isDry) {
      if (hasFlag(given, 'json')) terminal.print(JSON.stringify(viewOf(content, [])))
      return 0
    }
    const outcomes = await play(sessions, { given, terminal, speed, print })
    if (hasFlag(given, 'json')) terminal.print(JSON.stringify(viewOf(content, outcomes)))
    else for (const outcome of outcomes) for (const line of describeOutcome(outcome)) print(line)
    const isGood = outcomes.every(
      (outcome) => outcome.kind === 'recorded' && outcome.recording.state === 'complete',
    )
    return isGood ? 0 : 1
  },
}

async function play(
  sessions: readonly ReplaySession[],
  {
    given,
    terminal,
    speed,
    print,
  }: { given: Given; terminal: Terminal; speed: number; print: (line: string) => void },
): Promise<ReplayOutcome[]> {
  const config = findConfig(given, terminal)
  const to = textOption(given, 'to')
  const client = await PortalClient.open(config)
  // Asked before anything is played, so that a verdict can be had at the end.
  await client.get('/api/contacts?limit=1')
  const links = await GatewayLinks.open(sessions, {
    transport: readTransport(given),
    to: to === undefined ? undefined : readAddress(to, '--to'),
    config,
  })
  const lengthMs = Math.max(...sessions.map(({ endMs, startMs }) => endMs - startMs)) / speed
  const count = sessions.length === 1 ? 'one session' : `${sessions.length} sessions`
  print('')
  print(`Playing ${count} to ${links.names.join(' and ')}, which takes ${formatLength(lengthMs)} …`)
  try {
    return await playSessions(sessions, {
      linkOf: (session) => links.linkOf(session),
      client,
      speed,
      signal: terminal.stopSignal(),
      partiesOf: ({ call }) => ({
        caller: call?.from ?? textOption(given, 'caller') ?? '',
        called: call?.to ?? textOption(given, 'service-number') ?? 'replay',
      }),
    })
  } finally {
    links.close()
  }
}

function choose(
  { sessions }: CaptureContent,
  chosen: number | undefined,
): readonly ReplaySession[] {
  if (sessions.length === 0) {
    throw new TallenneError(
      'nothing_to_play',
      'The capture holds neither SIP nor RTP to be played.',
    )
  }
  if (chosen === undefined) {
    const playable = sessions.filter(({ obstacle }) => obstacle === undefined)
    if (playable.length > 0) return playable
    throw new TallenneError('nothing_to_play', `Nothing can be played: ${sessions[0]?.obstacle}.`)
  }
  const session = sessions[chosen - 1]
  if (session === undefined) {
    const last = sessions.length
    throw new TallenneError(
      'option_value',
      `--call is ${chosen}, but the capture's last is ${last}.`,
    )
  }
  if (session.obstacle === undefined) return [session]
  throw new TallenneError('nothing_to_play', `${chosen} cannot be played: ${session.obstacle}.`)
}

function readTransport(given: Given): SipTransport | undefined {
  const text = textOption(given, 'transport')
  if (text === undefined || text === 'udp' || text === 'tcp') return text
  throw new TallenneError('option_value', `--transport is ${text}, but udp or tcp is needed.`)
}

function readCount(given: Given, name: string, most: number): number | undefined {
  const text = textOption(given, name)
  if (text === undefined) return undefined
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= most) return count
  const range = most > 1e9 ? 'a number from 1' : `a number from 1 to ${most}`
  throw new TallenneError('option_value', `--${name} is ${text}, but ${range} is needed.`)
}

function describeContent({
  packets,
  fromMs,
  toMs,
  sessions,
  otherCalls,
  notes,
}: CaptureContent): string[] {
  if (packets === 0) return ['No IP packets.', ...notes]
  const begun = new Date(fromMs).toISOString()
  return [
    `${packets} packets over UDP and TCP, ${formatLength(toMs - fromMs)} from ${begun}`,
    ...notes.map((note) => `   ${note}`),
    ...(otherCalls === 0 ? [] : [`   ${otherCalls} calls beside these recording sessions`]),
    ...sessions.flatMap((session) => ['', ...describeSession(session)]),
  ]
}

function describeOutcome(outcome: ReplayOutcome): string[] {
  if (outcome.kind === 'failed') return ['', `${outcome.session.number}  ${outcome.reason}`]
  const { session, played, contact, recording } = outcome
  const { state, reasons, durationMs, lostMs } = recording
  const caller = contact.callerWithheld
    ? 'withheld'
    : mask(contact.caller ?? contact.callerRaw ?? '')
  return [
    '',
    `${session.number}  ${[state, ...reasons].join(' ')}`,
    `   length ${((durationMs ?? 0) / 1000).toFixed(2)} s, lost ${lostMs ?? 0} ms, ${played.sent} packets sent`,
    ...(played.early === 0
      ? []
      : [`   ${played.early} packets came before the answer, and were left out`]),
    `   caller ${caller}, service number ${mask(contact.serviceNumber ?? '')} (${contact.serviceLine}), agent ${mask(contact.agent ?? '')}`,
    `   recording ${recording.id}`,
    ...played.notes.map((note) => `   ${note}`),
  ]
}

/** What `--json` gives. */
function viewOf(content: CaptureContent, outcomes: readonly ReplayOutcome[]) {
  return {
    packets: content.packets,
    notes: content.notes,
    sessions: content.sessions.map((session) => {
      const outcome = outcomes.find((one) => one.session === session)
      return {
        number: session.number,
        kind: session.kind,
        callId: session.call?.callId ?? null,
        from: session.call === undefined ? null : mask(session.call.from),
        to: session.call === undefined ? null : mask(session.call.to),
        lengthMs: Math.max(0, Math.round(session.endMs - session.startMs)),
        obstacle: session.obstacle ?? null,
        streams: session.streams.map((stream) => {
          const { payloadTypes, driftPpm, firstMs, lastMs, ...facts } = stream.facts
          return {
            ...facts,
            codecs: codecsOf(stream),
            lengthMs: Math.round(lastMs - firstMs),
            driftPpm: driftPpm ?? null,
          }
        }),
        outcome: outcome === undefined ? null : outcomeView(outcome),
      }
    }),
  }
}

function outcomeView(outcome: ReplayOutcome) {
  if (outcome.kind === 'failed') return { state: null, reason: outcome.reason }
  const { played, contact, recording } = outcome
  const { id, state, reasons, durationMs, lostMs } = recording
  return {
    recording: id,
    contact: contact.id,
    state,
    reasons,
    durationMs,
    lostMs,
    sent: played.sent,
    early: played.early,
    notes: played.notes,
  }
}
