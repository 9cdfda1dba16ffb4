import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { startMariadb } from '../mariadb.ts'
import { until } from '../until.ts'
import { contactOf, hasEnded } from './contact-of.ts'
import { makeGateway } from './gateway-process.ts'
import { answeredLines, offer } from './recording-offer.ts'
import { RtpSender } from './rtp-sender.ts'
import { type PeerCall, SipPeer } from './sip-peer.ts'

const RATE = 200
const INVITES = 400
const LIVE = ['live-0', 'live-1', 'live-2'] as const
/** Timer B (RFC 3261 §17.1.1.2). */
const TRANSACTION_MS = 32_000
const T1_MS = 500

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

/** Sends INVITEs over UDP at a rate, as a client does: again after T1 while nothing comes, and an ACK to what is final. */
class BurstSender {
  readonly #socket = createSocket('udp4')
  readonly #target: { readonly host: string; readonly port: number }
  readonly #sentAtMs = new Map<string, number>()
  readonly heard = new Set<string>()
  readonly statuses = new Map<string, number>()
  readonly tookMs: number[] = []

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
  }

  async run(count: number): Promise<void> {
    this.#socket.on('message', (datagram) => this.#hear(datagram.toString('latin1')))
    this.#socket.bind(0, '127.0.0.1')
    await once(this.#socket, 'listening')
    const startedAt = performance.now()
    for (let index = 0; index < count; index++) {
      const dueMs = (index * 1000) / RATE - (performance.now() - startedAt)
      if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs))
      this.#invite(`burst-${index}`)
    }
    await until(
      () => this.statuses.size === count || performance.now() - startedAt > TRANSACTION_MS,
    )
  }

  close(): void {
    this.#socket.close()
  }

  #invite(callId: string): void {
    if (!this.#sentAtMs.has(callId)) this.#sentAtMs.set(callId, performance.now())
    const body = offer([{ port: 40_000 }])
    this.#send('INVITE', callId, 'sip:+12025550100@127.0.0.1', [
      'Content-Type: application/sdp',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ])
    setTimeout(() => {
      if (!this.heard.has(callId)) this.#invite(callId)
    }, T1_MS).unref()
  }

  #send(method: string, callId: string, to: string, rest: readonly string[]): void {
    const { port } = this.#socket.address()
    const text = [
      `${method} sip:+12025550100@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${callId}`,
      'Max-Forwards: 70',
      `From: <sip:+12025550123@127.0.0.1>;tag=${callId}`,
      `To: ${to.startsWith('<') ? to : `<${to}>`}`,
      `Call-ID: ${callId}`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:127.0.0.1:${port}>`,
      ...rest,
    ].join('\r\n')
    this.#socket.send(text, this.#target.port, this.#target.host)
  }

  #hear(text: string): void {
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1])
    const callId = /^Call-ID: ?(\S+)/im.exec(text)?.[1] ?? ''
    const to = /^To: ?([^\r]+)/im.exec(text)?.[1] ?? ''
    this.heard.add(callId)
    if (!(status >= 200) || !/^CSeq: ?1 INVITE/im.test(text)) return
    this.#send('ACK', callId, to, ['Content-Length: 0', '', ''])
    if (this.statuses.has(callId)) return
    this.statuses.set(callId, status)
    this.tookMs.push(performance.now() - (this.#sentAtMs.get(callId) ?? 0))
  }
}

t.test(
  '200 INVITEs a second are each answered or refused, and calls that are up lose nothing',
  async (t) => {
    const gateway = await makeGateway(mariadb.settings, {
      media: { ports: { from: 32_000, to: 32_199, restS: 0 }, engines: 1, maxRecordings: 40 },
    })
    t.teardown(() => gateway.remove())
    await gateway.start()
    const peer = await SipPeer.open(gateway.sip)
    const live: { readonly call: PeerCall; readonly party: RtpSender }[] = []
    for (const [at, callId] of LIVE.entries()) {
      const party = await RtpSender.open(440 + 100 * at)
      const call = peer.call({ callId, body: offer([{ port: party.port }]) })
      party.start(answeredLines((await call.invite()).body)[0]?.port ?? 0)
      live.push({ call, party })
    }

    const burst = new BurstSender(gateway.sip)
    t.teardown(() => burst.close())
    await burst.run(INVITES)
    const count = (status: number) =>
      [...burst.statuses.values()].filter((one) => one === status).length
    t.equal(burst.statuses.size, INVITES, 'none is left without an answer')
    t.equal(count(200) + count(503), INVITES)
    t.ok(count(200) > 0 && count(503) > 0)
    t.ok(Math.max(...burst.tookMs) < TRANSACTION_MS)
    const sorted = burst.tookMs.sort((a, b) => a - b)
    t.comment(
      `${count(200)} taken, ${count(503)} refused; half within ${Math.round(sorted[sorted.length >> 1] ?? 0)} ms, all within ${Math.round(sorted.at(-1) ?? 0)} ms`,
    )

    for (const { call, party } of live) {
      await call.bye()
      await party.close()
    }
    await peer.close()
    for (const callId of LIVE) {
      const contact = await contactOf(mariadb.pool(), callId, hasEnded)
      t.match(contact.recordings, [{ state: 'complete', lostMs: 0 }])
    }
  },
)
