import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { SipServer } from '../../../gateway/sip-server/sip-server.ts'
import { SDP } from './sip-text.ts'
import { UdpPeer } from './udp-peer.ts'

interface Request {
  readonly uri: string
  readonly body: string
}
interface Answer {
  send(status: number, options?: object): void
}
interface Dialog {
  on(event: string, listener: (request: Request, response: Answer) => void): void
  destroy(): Promise<unknown>
}
interface Framework {
  connect(options: object): void
  disconnect(): void
  on(event: string, listener: (...values: readonly unknown[]) => void): void
  invite(handler: (request: Request, response: Answer) => void): void
  createUAS(
    request: Request,
    response: Answer,
    options: object,
    callback: (error: unknown, dialog: Dialog | undefined) => void,
  ): void
  createUAC(uri: string, options: object): Promise<Dialog>
}
const Srf: new () => Framework = createRequire(import.meta.url)('drachtio-srf')

const CALLS = 20

/** A server whose client answers everything but calls to `ringing`. */
async function start(t: Test) {
  const server = new SipServer({
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    clock: new SystemClock(),
    log: createSilentLog(),
  })
  const { admin, sip } = await server.start()
  const srf = new Srf()
  srf.on('error', () => {})
  srf.invite((request, response) => {
    if (request.uri.includes('ringing')) {
      response.send(180)
      return
    }
    const headers = { Contact: '<sip:recorder@localhost>;+sip.srs' }
    // A promise would resolve a turn too late for a re-INVITE that follows at once.
    srf.createUAS(request, response, { localSdp: SDP, headers }, (_error, dialog) => {
      dialog?.on('modify', (offer, answer) => {
        const direction = /a=(inactive|sendonly)/.exec(offer.body)?.[1] ?? 'sendrecv'
        answer.send(200, { body: SDP.replace('sendrecv', direction) })
      })
    })
  })
  const connected = new Promise((resolve) => srf.on('connect', resolve))
  srf.connect(admin)
  await connected
  t.teardown(async () => {
    srf.disconnect()
    await server.close()
  })
  const [udp, tcp] = sip
  return { server, srf, udpPort: udp?.port ?? 0, tcpPort: tcp?.port ?? 0 }
}

/** Runs sipp to its end; its exit code, which is 0 where every call went as the scenario says. */
async function sipp(...options: readonly string[]): Promise<number> {
  const always = ['-i', '127.0.0.1', '-m', String(CALLS), '-r', '100', '-nostdin', '-timeout', '30']
  const child = spawn('sipp', [...always, ...options], { stdio: 'ignore', cwd: tmpdir() })
  const [code] = await once(child, 'exit')
  return Number(code)
}

function scenario(name: string): string {
  const url = new URL(`../../../../test/gateway/sip-server/${name}.sipp.xml`, import.meta.url)
  return fileURLToPath(url)
}

t.test('calls of a caller that sipp plays, over both transports', async (t) => {
  const { server, udpPort, tcpPort } = await start(t)
  for (const [transport, port] of [
    ['u1', udpPort],
    ['t1', tcpPort],
    ['tn', tcpPort],
  ] as const) {
    const options = [`127.0.0.1:${port}`, '-t', transport, '-max_socket', '100']
    t.equal(await sipp('-sn', 'uac', '-d', '50', ...options), 0, `plain calls, ${transport}`)
    t.equal(
      await sipp('-sf', scenario('recording-session'), ...options),
      0,
      `recording sessions, ${transport}`,
    )
    t.equal(
      await sipp('-sf', scenario('cancelled-call'), ...options),
      0,
      `cancelled calls, ${transport}`,
    )
  }
  t.equal(server.counters.dialogs, 0, 'every dialog is over')
  t.equal(server.counters.requestsReceived['INVITE'], 3 * 4 * CALLS)
  t.same(server.counters.dropped, {})
})

t.test('calls to a platform that sipp plays', async (t) => {
  const { server, srf } = await start(t)
  const reserved = await UdpPeer.open()
  const { port } = reserved
  await reserved.close()
  const platform = sipp('-sn', 'uas', '-p', String(port))
  for (let call = 0; call < CALLS; call += 1) {
    const dialog = await srf.createUAC(`sip:platform@127.0.0.1:${port}`, { localSdp: SDP })
    await dialog.destroy()
  }
  t.equal(await platform, 0)
  t.equal(server.counters.dialogs, 0)
  t.same(server.counters.requestsSent, { INVITE: CALLS, ACK: CALLS, BYE: CALLS })
})
