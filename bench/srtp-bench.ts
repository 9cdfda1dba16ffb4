import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { SystemClock } from '../base/clock.ts'
import { FilterProcesses } from '../recorder/decoding/filter-processes.ts'
import { FileBudget } from '../recorder/file-budget.ts'
import { MediaStream } from '../recorder/media-stream.ts'
import type { StreamPlan } from '../recorder/recording-plan.ts'
import { PacketSealer } from '../recorder/srtp/packet-sealer.ts'
import type { SrtpKeying } from '../recorder/srtp/srtp-plan.ts'
import { SRTP_SUITES, type SrtpSuiteName } from '../recorder/srtp/srtp-suite.ts'
import { TimelineLeg } from '../recorder/timeline-leg.ts'
import { measureBareLibopus, type OpusSettings } from './bare-libopus.ts'
import { cpuMsOf, median } from './machine-noise.ts'

const PACKETS = 2000
const ROUNDS = 5
/** Sent at once; a socket's buffer holds them all. `PACKETS` is a multiple of it. */
const BURST = 50
const SUITES = Object.keys(SRTP_SUITES) as readonly SrtpSuiteName[]

/**
 * What SRTP adds to a packet of 20 ms of G.711: received from a socket and placed, protected and in the clear, in one
 * run, and protected for sending. Beside it what libopus needs to encode the same 20 ms.
 */
export async function benchSrtp({ opus }: { readonly opus: OpusSettings }): Promise<void> {
  const encodeUs = measureBareLibopus([noise(8000 * 10)], opus) * 20
  console.log(`SRTP, µs of CPU for a packet of 20 ms; libopus encodes it in ${encodeUs.toFixed(0)}`)
  console.log('suite                    received  ratio  opened  of libopus  protected')
  const rounds = await inTurns()
  const plainUs = median(rounds.map(({ plain }) => plain))
  console.log(`${'none'.padEnd(24)} ${plainUs.toFixed(1).padStart(8)}   1.00`)
  for (const suite of SUITES) {
    const us = median(rounds.map(({ received }) => received[suite]))
    const ratio = median(rounds.map(({ plain, received }) => received[suite] / plain))
    const sealedUs = median(rounds.map(({ sealed }) => sealed[suite]))
    const openedUs = us - plainUs
    console.log(
      [
        suite.padEnd(24),
        us.toFixed(1).padStart(8),
        ratio.toFixed(2).padStart(6),
        openedUs.toFixed(1).padStart(7),
        `${((100 * openedUs) / encodeUs).toFixed(0)} %`.padStart(11),
        sealedUs.toFixed(1).padStart(10),
      ].join(' '),
    )
  }
}

interface Round {
  readonly plain: number
  readonly received: Record<SrtpSuiteName, number>
  readonly sealed: Record<SrtpSuiteName, number>
}

/** Each round measures all of them, so that a machine that changes its speed changes none of the ratios. */
async function inTurns(): Promise<readonly Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const plain = await receive(packets(), undefined)
    const received: Partial<Round['received']> = {}
    const sealed: Partial<Round['sealed']> = {}
    for (const suite of SUITES) {
      const keying = keyingOf(suite)
      const clear = packets()
      const sealer = new PacketSealer(keying)
      const datagrams: Uint8Array[] = []
      sealed[suite] =
        (cpuMsOf(() => {
          for (const packet of clear) datagrams.push(sealer.sealRtp(packet) ?? packet)
        }) *
          1000) /
        PACKETS
      received[suite] = await receive(datagrams, keying)
    }
    // The first warms the code up.
    if (round > 0) rounds.push({ plain, received, sealed } as Round)
  }
  return rounds
}

/** µs of CPU to send a packet over loopback, receive it, open it and place it. */
async function receive(
  datagrams: readonly Uint8Array[],
  keying: SrtpKeying | undefined,
): Promise<number> {
  const [from, rtp, rtcp] = [await bound(), await bound(), await bound()]
  const clock = new SystemClock()
  const plan: StreamPlan = {
    streamId: 'caller',
    role: 'caller',
    isReceiving: true,
    formats: [{ payloadType: 0, codec: 'PCMU', clockRate: 8000 }],
    eventPayloadTypes: [],
    comfortNoisePayloadTypes: [],
    remote: { address: '127.0.0.1', port: from.address().port },
    ...(keying && { srtp: { receive: keying, send: keying } }),
  }
  const { port: rtpPort } = rtp.address()
  const stream = new MediaStream({
    plan,
    sockets: { rtp, rtcp, rtpPort, boundAddress: '127.0.0.1' },
    leg: new TimelineLeg(0, () => {}),
    clock,
    processes: new FilterProcesses({ most: 0, files: new FileBudget({ clock }), clock }),
    onFailed: (error) => {
      throw error
    },
    onCode: () => {},
  })
  let arrived = 0
  let wake = () => {}
  rtp.on('message', () => {
    arrived++
    if (arrived % BURST === 0) wake()
  })
  const before = process.cpuUsage()
  for (let sent = 0; sent < datagrams.length; sent += BURST) {
    const allCame = new Promise<void>((resolve) => {
      wake = resolve
    })
    for (const datagram of datagrams.slice(sent, sent + BURST)) {
      from.send(datagram, rtpPort, '127.0.0.1')
    }
    await allCame
  }
  const used = process.cpuUsage(before)
  for (const socket of [from, rtp, rtcp]) socket.close()
  if (stream.tally.unauthenticated > 0) throw new Error('a packet could not be opened')
  return (used.user + used.system) / datagrams.length
}

async function bound(): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    lookup: (host, _options, callback) => callback(null, host, 4),
  })
  const isListening = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await isListening
  return socket
}

function packets(): readonly Buffer[] {
  return Array.from({ length: PACKETS }, (_, at) => {
    const packet = Buffer.alloc(172, at % 200)
    packet.writeUInt16BE(0x8000, 0)
    packet.writeUInt16BE(at, 2)
    packet.writeUInt32BE(at * 160, 4)
    packet.writeUInt32BE(7, 8)
    return packet
  })
}

function keyingOf(suite: SrtpSuiteName): SrtpKeying {
  const { keyBytes, saltBytes } = SRTP_SUITES[suite]
  const keyAndSalt = Buffer.alloc(keyBytes + saltBytes, 5).toString('base64')
  return { suite, keys: [{ keyAndSalt, mki: '' }], hasPlainRtcp: false }
}

function noise(samples: number): Int16Array {
  return Int16Array.from({ length: samples }, () => (Math.random() - 0.5) * 8000)
}
