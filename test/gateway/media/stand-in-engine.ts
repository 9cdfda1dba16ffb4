import { parentPort, threadId } from 'node:worker_threads'
import type {
  EngineReply,
  EngineReport,
  EngineRequest,
  EngineSettings,
} from '../../../recorder/engine-protocol.ts'
import type { StreamPlan, StreamPort } from '../../../recorder/recording-plan.ts'

/**
 * An engine thread without media, for tests of what stands around one. It holds `maxRecordings` recordings, and
 * the Call-ID of a plan tells it to die (`die`), to throw (`throw`) or to take its time (`slow`).
 */
parentPort?.once('message', (settings: EngineSettings) => {
  // An engine that says nothing for long is taken for one that hangs.
  setInterval(() => report(settings), 1000)
  parentPort?.on('message', (request: EngineRequest) => handle(settings, request))
})

/** Each engine has ports of its own, also the one that takes a dead one's place. */
const firstPort = ({ portFrom }: EngineSettings) => portFrom + (threadId % 20) * 20
const recordings = new Set<string>()
const answered = new Set<string>()
/** Recordings that are being opened, and how many at most were. */
let opening = 0
let mostOpening = 0

function say(message: EngineReply | EngineReport): void {
  parentPort?.postMessage(message)
}

function portsOf(settings: EngineSettings, streams: readonly StreamPlan[]): readonly StreamPort[] {
  return streams.map(({ streamId }, at) => ({
    streamId,
    address: settings.advertisedAddress,
    rtpPort: firstPort(settings) + at * 2,
    rtcpPort: firstPort(settings) + at * 2 + 1,
  }))
}

function report(settings: EngineSettings): void {
  say({
    kind: 'report',
    recordings: recordings.size,
    portsInUse: recordings.size * 2,
    portsResting: 0,
    decoders: 0,
    portsFree: settings.maxRecordings * 2 - recordings.size * 2,
    lagMs: 0,
    load: 0,
    leastLoad: 0,
    complexity: settings.opus.complexity,
    filesFree: 10_000,
    filesLimit: 10_000,
    counters: { opened: recordings.size, mostOpening },
  })
}

function handle(settings: EngineSettings, request: EngineRequest): void {
  const { requestId } = request
  switch (request.kind) {
    case 'open': {
      const { recordingId, callId } = request.plan
      if (callId === 'die') process.exit(1)
      if (callId === 'throw') throw new Error('thrown in the engine')
      if (recordings.size >= settings.maxRecordings) {
        say({ kind: 'refused', requestId, code: 'too_many_recordings', message: 'full' })
        return
      }
      recordings.add(recordingId)
      mostOpening = Math.max(mostOpening, ++opening)
      const opened = () => {
        opening--
        say({ kind: 'opened', requestId, ports: portsOf(settings, request.plan.streams) })
        report(settings)
      }
      if (callId === 'slow') setTimeout(opened, 300)
      else opened()
      return
    }
    case 'close': {
      recordings.delete(request.recordingId)
      const hasFile = answered.delete(request.recordingId)
      say({
        kind: 'closed',
        requestId,
        outcome: {
          recordingId: request.recordingId,
          verdict: hasFile ? 'complete' : 'silent',
          reasons: request.reasons,
          durationMs: 1000,
          callDurationMs: 1000,
          startedAtMs: request.endedAtMs - 1000,
          lostMs: 0,
          lossMap: [],
          bytes: hasFile ? 100 : 0,
          sha256: hasFile ? '0'.repeat(64) : null,
          streams: [],
        },
      })
      return
    }
    case 'live':
      say({
        kind: 'live',
        requestId,
        recordings: [...recordings].map((recordingId) => ({
          recordingId,
          durationMs: 0,
          bytes: 0,
          levelsDb: [-100, -100],
          lostMs: 0,
          quietMs: 3000,
        })),
      })
      return
    case 'update':
      say({ kind: 'updated', requestId, ports: portsOf(settings, request.streams) })
      return
    case 'answered':
      answered.add(request.recordingId)
      say({ kind: 'done', requestId })
      return
    case 'fork':
    case 'play':
    case 'pause':
    case 'resume':
    case 'stop':
    case 'hush':
    case 'shutdown':
      say({ kind: 'done', requestId })
  }
}
