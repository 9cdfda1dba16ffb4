import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { MediaStream } from '../../../recorder/media-stream.ts'
import { PortPool } from '../../../recorder/port-pool.ts'
import { bindSocketPair } from '../../../recorder/rtp-sockets.ts'
import { PacketSealer } from '../../../recorder/srtp/packet-sealer.ts'
import { TimelineLeg } from '../../../recorder/timeline-leg.ts'
import { until } from '../../until.ts'
import { decoderProcesses, streamPlan } from '../recording-rig.ts'
import { rtp } from '../rtp.ts'
import { toneBytes, toneShare } from '../tones.ts'
import { keying } from './keying.ts'

// The system's ffmpeg knows SRTP by itself, and shares no code with ours.
const SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const

function ffmpeg(t: Test, ...options: readonly string[]): ChildProcess {
  const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...options], {
    stdio: 'ignore',
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

function keyOf(suite: (typeof SUITES)[number]): string {
  return keying(suite).keys[0]?.keyAndSalt ?? ''
}

for (const suite of SUITES) {
  t.test(`what ffmpeg protects by ${suite} is heard, its RTCP too`, async (t) => {
    const clock = new SystemClock()
    const pool = new PortPool({ from: 42_600, to: 42_699, restMs: 0, clock })
    const sockets = await bindSocketPair(pool, '127.0.0.1')
    if (sockets === undefined) throw new Error('no ports')
    t.teardown(() => {
      sockets.rtp.close()
      sockets.rtcp.close()
    })
    const stream = new MediaStream({
      plan: streamPlan('caller', {
        remote: undefined,
        srtp: { receive: keying(suite), send: keying(suite, 2) },
      }),
      sockets,
      leg: new TimelineLeg(0, () => {}),
      clock,
      processes: decoderProcesses(clock),
      onFailed: (error) => t.error(error),
      onCode: () => {},
    })
    const sender = ffmpeg(
      t,
      ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=8000', '-t', '2'],
      ...['-c:a', 'pcm_mulaw', '-f', 'rtp', '-srtp_out_suite', suite],
      ...['-srtp_out_params', keyOf(suite), `srtp://127.0.0.1:${sockets.rtpPort}`],
    )
    const [code] = await once(sender, 'close')
    t.equal(code, 0)
    await until(() => stream.counters().rtcp > 0)
    const counters = stream.counters()
    t.match(counters, { unauthenticated: 0, replayed: 0, notRtp: 0, lostPackets: 0 })
    // The leg has no timeline that they could be in time for.
    t.ok(counters.placed + counters.late > 8, `${counters.placed + counters.late} packets`)
  })

  t.test(`what is protected here by ${suite} is heard by ffmpeg`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'srtp-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const port = await freePair()
    const description = join(folder, 'call.sdp')
    const heard = join(folder, 'heard.raw')
    writeFileSync(
      description,
      [
        'v=0',
        'o=- 1 1 IN IP4 127.0.0.1',
        's=-',
        'c=IN IP4 127.0.0.1',
        't=0 0',
        `m=audio ${port} RTP/SAVP 0`,
        `a=crypto:1 ${suite} inline:${keyOf(suite)}`,
        '',
      ].join('\r\n'),
    )
    const reader = ffmpeg(
      t,
      ...['-protocol_whitelist', 'file,srtp,rtp,udp', '-i', description],
      ...['-t', '1', '-f', 's16le', '-ar', '8000', heard],
    )
    const ended = once(reader, 'close')
    const socket = createSocket('udp4')
    t.teardown(() => socket.close())
    const sealer = new PacketSealer(keying(suite))
    let sent = 0
    const timer = setInterval(() => {
      const packet = sealer.sealRtp(
        rtp({
          sequenceNumber: sent,
          timestamp: sent * 160,
          payload: toneBytes(600, sent * 160, 160),
        }),
      )
      sent++
      if (packet !== undefined) socket.send(packet, port, '127.0.0.1')
    }, 20)
    t.teardown(() => clearInterval(timer))
    t.equal((await ended)[0], 0)
    const bytes = readFileSync(heard)
    const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1)
    t.ok(toneShare(samples.subarray(800, 7200), 600) > 0.9)
  })
}

/** The lower of a pair of ports that were free a moment ago. */
async function freePair(): Promise<number> {
  const pool = new PortPool({ from: 42_700, to: 42_799, restMs: 0, clock: new SystemClock() })
  const pair = await bindSocketPair(pool, '127.0.0.1')
  if (pair === undefined) throw new Error('no ports')
  pair.rtp.close()
  pair.rtcp.close()
  await Promise.all([once(pair.rtp, 'close'), once(pair.rtcp, 'close')])
  return pair.rtpPort
}
