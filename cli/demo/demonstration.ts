import { join } from 'node:path'
import { reachableHost } from '../../base/address.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { explainRecording } from '../../retention/explain.ts'
import { createDatabasePool } from '../../storage/database.ts'
import type { ContactView, RecordingView } from '../../storage/model.ts'
import { awaitVerdict } from '../api/await-verdict.ts'
import { describeContact, describeRecording } from '../api/describe-contact.ts'
import { PortalClient } from '../api/portal-client.ts'
import { SiprecCaller } from '../caller/siprec-caller.ts'
import { wrap } from '../table.ts'
import type { Terminal } from '../verb.ts'
import { readDialogue } from './dialogue.ts'
import { watchCall } from './live-view.ts'
import { describeFile, readRecordingFile } from './show-result.ts'

const CALLER = '+12025550147'
const AGENT = '4001'
const VERDICT_WITHIN_MS = 30_000

/** What came of the demonstration's call. */
export interface DemonstrationResult {
  readonly contact: ContactView
  readonly recording: RecordingView
  readonly isPlayable: boolean
}

/** Places the call on a running installation, shows it, and shows what was made of it. */
export async function demonstrate(
  config: Config,
  terminal: Terminal,
): Promise<DemonstrationResult> {
  const { print, rootPath } = terminal
  const client = await PortalClient.open(config)
  const line = config.serviceLines.find(({ numbers }) => numbers.length > 0)
  const serviceNumber = line?.numbers[0] ?? '+12025550100'
  print('')
  print(`A call from ${CALLER} to ${serviceNumber} (${line?.name ?? 'no line'}), agent ${AGENT}:`)
  const callId = await placeCall(serviceNumber, { config, client, terminal, rootPath })

  const ended = await awaitVerdict(callId, { client, withinMs: VERDICT_WITHIN_MS })
  if (ended === undefined) {
    throw new TallenneError(
      'no_verdict',
      `The call has no verdict ${VERDICT_WITHIN_MS / 1000} s after its end: see the gateway's log.`,
    )
  }
  const { contact, recording } = ended
  const timeZone = line?.timeZone ?? config.catchAll.timeZone
  print('')
  print('The contact row')
  for (const text of describeContact(contact, timeZone)) print(text)
  print('')
  print('The recording and its verdict')
  for (const text of describeRecording(recording, timeZone)) print(text)
  print('')
  const response = await client.get(`/api/recordings/${recording.id}/audio`)
  const reading = await readRecordingFile(new Uint8Array(await response.arrayBuffer()))
  if (reading.kind === 'playable') {
    print('The file, as it says itself')
    for (const text of describeFile(reading.facts)) print(text)
  } else {
    print(`The file does not play: ${reading.reason}.`)
  }
  print('')
  print('When it goes')
  for (const text of wrap(await explain(recording.id, config), terminal.columns - 2)) {
    print(`  ${text}`)
  }
  return { contact, recording, isPlayable: reading.kind === 'playable' }
}

async function placeCall(
  serviceNumber: string,
  {
    config,
    client,
    terminal,
    rootPath,
  }: {
    readonly config: Config
    readonly client: PortalClient
    readonly terminal: Terminal
    readonly rootPath: string
  },
): Promise<string> {
  const { audio, durationMs } = readDialogue(join(rootPath, 'cli', 'demo', 'voices'))
  const caller = await SiprecCaller.open(callableAddress(config))
  try {
    const call = await caller.place({ caller: CALLER, agent: AGENT, serviceNumber, audio })
    await watchCall({ callId: call.callId, durationMs }, { client, terminal })
    await call.hangUp()
    return call.callId
  } finally {
    caller.close()
  }
}

function callableAddress({ sip }: Config) {
  const udp = sip.drachtio ? undefined : sip.listen.find(({ transport }) => transport === 'udp')
  if (udp) return { host: reachableHost(udp.host), port: udp.port }
  throw new TallenneError(
    'no_udp',
    'The demonstration calls over UDP, but the configuration has no sip.listen of transport udp: add one, or leave --config out.',
  )
}

async function explain(recordingId: string, { database }: Config): Promise<string> {
  const pool = createDatabasePool({ ...database, connections: 1 })
  try {
    const explanation = await explainRecording(pool, recordingId, Date.now())
    return explanation?.text.en ?? 'Nothing is known of it.'
  } finally {
    await pool.end()
  }
}
