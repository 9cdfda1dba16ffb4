import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { SipServer } from '../../../gateway/sip-server/sip-server.ts'
import { headerOf, SDP, sipRequest, sipResponse, tagIn } from './sip-text.ts'
import { UdpPeer } from './udp-peer.ts'

/** As much of drachtio-srf as is used here; its own declarations lack most of it. */
interface Message {
  readonly status: number
  readonly body: string
  readonly method: string
  get(name: string): string | undefined
}
interface Answer {
  send(
    status: number,
    options?: { readonly headers?: Record<string, string>; readonly body?: string },
    callback?: (error: unknown) => void,
    onAcknowledged?: (request: Message) => void,
  ): void
}
interface Request extends Message {
  readonly source: string
  on(event: 'cancel' | 'response', listener: (message: Message) => void): void
  cancel(callback: (error: unknown) => void): void
}
interface Dialog {
  readonly id: string
  readonly connected: boolean
  readonly remote: { readonly sdp: string }
  on(event: string, listener: (request: Message, response: Answer) => void): void
  request(options: {
    readonly method: string
    readonly body?: string
    readonly headers?: object
  }): Promise<Message>
  modify(sdp: string): Promise<string>
  destroy(options?: object): Promise<unknown>
}
interface Framework {
  connect(options: object): void
  disconnect(): void
  on(event: string, listener: (...values: readonly unknown[]) => void): void
  invite(handler: (request: Request, response: Answer) => void): void
  options(handler: (request: Request, response: Answer) => void): void
  createUAS(request: Request, response: Answer, options: object): Promise<Dialog>
  createUAC(uri: string, options: object, hooks?: object): Promise<Dialog>
  createB2BUA(
    request: Request,
    response: Answer,
    uri: string,
    options?: object,
  ): Promise<{ readonly uas: Dialog; readonly uac: Dialog }>
  request(uri: string, options: object): Promise<Request>
}
const Srf: new () => Framework = createRequire(import.meta.url)('drachtio-srf')

interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly secret: string
  readonly sipPort: number
}

/**
 * Where the tests find their server. `TALLENNE_TEST_DRACHTIO`, if set to `HOST:PORT:SECRET:SIP-PORT`, is a real
 * drachtio server on this machine; without it the embedded one is started.
 */
async function findServer(t: Test): Promise<ServerAddress> {
  const [host, port, secret, sipPort] = (process.env['TALLENNE_TEST_DRACHTIO'] ?? '').split(':')
  if (host && secret) return { host, port: Number(port), secret, sipPort: Number(sipPort) }
  const server = new SipServer({
    listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    clock: new SystemClock(),
    log: createSilentLog(),
  })
  const { admin, sip } = await server.start()
  t.teardown(() => server.close())
  return { ...admin, sipPort: sip[0]?.port ?? 0 }
}

async function start(t: Test) {
  const address = await findServer(t)
  const srf = new Srf()
  srf.on('error', () => {})
  const connected = new Promise((resolve) => srf.on('connect', resolve))
  srf.connect(address)
  t.equal(await connected, null, 'the secret is right')
  const peer = await UdpPeer.open()
  t.teardown(async () => {
    srf.disconnect()
    await peer.close()
  })
  const number = Math.random().toString(36).slice(2)
  const parts = (more: object) => ({
    port: peer.port,
    uri: `sip:recorder@127.0.0.1:${address.sipPort}`,
    callId: `${number}@127.0.0.1`,
    branch: `z9hG4bK${number}${Math.random()}`,
    ...more,
  })
  return {
    srf,
    peer,
    target: `sip:platform@127.0.0.1:${peer.port}`,
    /** Sends a request and gives its text. */
    send: (more: object = {}) => {
      const text = sipRequest(parts(more))
      peer.send(text, address.sipPort)
      return text
    },
    reply: (request: string, response: Parameters<typeof sipResponse>[1]) => {
      peer.send(sipResponse(request, response), address.sipPort)
    },
  }
}

type Context = Awaited<ReturnType<typeof start>>

/** What is to handle the next INVITE, once its route is known to the server. */
async function routed(context: Context) {
  const handled = new Promise<{ request: Request; response: Answer }>((resolve) => {
    context.srf.invite((request, response) => resolve({ request, response }))
  })
  await routeSettled(context)
  return { handled }
}

/** Status of the response that made a call fail. */
async function failure(calling: Promise<unknown>): Promise<unknown> {
  try {
    await calling
  } catch (error) {
    return error instanceof Error && 'status' in error ? error.status : error
  }
  return 'none'
}

/** A route takes effect before any later request of the same client is answered. */
async function routeSettled({ srf, peer, target, reply }: Context): Promise<void> {
  const sent = srf.request(target, { method: 'OPTIONS' })
  reply(await peer.nextThat(/^OPTIONS/), { status: 200, reason: 'OK' })
  const request = await sent
  await new Promise<void>((resolve) => request.on('response', () => resolve()))
}

/** A call from the peer, answered. */
async function answeredCall(context: Context) {
  const { handled } = await routed(context)
  const invite = context.send({ body: SDP })
  const { request, response } = await handled
  const dialog = await context.srf.createUAS(request, response, {
    localSdp: SDP,
    headers: { Contact: '<sip:recorder@localhost>;+sip.srs' },
  })
  const ok = await context.peer.nextThat(/^SIP\/2\.0 200/)
  const toTag = tagIn(headerOf(ok, 'To'))
  const acked = new Promise<void>((resolve) => dialog.on('ack', () => resolve()))
  context.send({ method: 'ACK', toTag })
  await acked
  return { dialog, toTag, ok, invite }
}

t.test('createUAS: answer, ACK, re-INVITE, INFO, UPDATE and BYE from the peer', async (t) => {
  const context = await start(t)
  const { dialog, toTag, ok } = await answeredCall(context)
  const { send, peer } = context
  t.match(headerOf(ok, 'Contact'), /^<sip:recorder@127\.0\.0\.1:\d+>;\+sip\.srs$/)
  const changed = SDP.replace('sendrecv', 'inactive')
  dialog.on('modify', (request, response) => {
    t.equal(request.body, changed)
    response.send(200, { body: SDP.replace('sendrecv', 'inactive') })
  })
  send({ toTag, sequence: 2, body: changed })
  t.match(await peer.nextThat(/^SIP\/2\.0 200/), 'a=inactive')
  send({ method: 'ACK', toTag, sequence: 2 })
  dialog.on('info', (request, response) => {
    t.equal(request.body, 'Signal=1')
    response.send(200)
  })
  send({
    method: 'INFO',
    toTag,
    sequence: 3,
    body: 'Signal=1',
    headers: ['Content-Type: application/dtmf-relay'],
  })
  t.match(headerOf(await peer.nextThat(/^SIP\/2\.0 200/), 'CSeq'), '3 INFO')
  dialog.on('update', (_request, response) => response.send(200, { headers: { 'X-A': 'b' } }))
  send({ method: 'UPDATE', toTag, sequence: 4 })
  t.equal(headerOf(await peer.nextThat(/^SIP\/2\.0 200/), 'X-A'), 'b')
  const destroyed = new Promise<void>((resolve) => dialog.on('destroy', () => resolve()))
  send({ method: 'BYE', toTag, sequence: 5 })
  await destroyed
  t.match(headerOf(await peer.nextThat(/^SIP\/2\.0 200/), 'CSeq'), '5 BYE')
  send({ method: 'BYE', toTag, sequence: 6 })
  t.match(await peer.nextThat(/^SIP/), /^SIP\/2\.0 481/)
})

t.test('createUAS: re-INVITE, INFO and BYE from this side', async (t) => {
  const context = await start(t)
  const { dialog, ok } = await answeredCall(context)
  const { peer, reply, target } = context
  const modified = dialog.modify(SDP.replace('sendrecv', 'recvonly'))
  const invite = await peer.nextThat(/^INVITE/)
  t.match(invite.split('\r\n', 1)[0], target)
  t.equal(headerOf(invite, 'From'), headerOf(ok, 'To'))
  t.equal(headerOf(invite, 'To'), headerOf(ok, 'From'))
  t.match(headerOf(invite, 'Contact'), '+sip.srs')
  const moved = target.replace('platform', 'moved')
  reply(invite, { status: 100, reason: 'Trying' })
  reply(invite, { status: 200, reason: 'OK', headers: [`Contact: <${moved}>`], body: SDP })
  t.equal(await modified, SDP)
  const ack = await peer.nextThat(/^ACK/)
  t.match(ack.split('\r\n', 1)[0], moved, 'the new target counts at once')
  const info = dialog.request({ method: 'INFO', headers: { 'X-A': 'b' } })
  const sent = await peer.nextThat(/^INFO/)
  t.match(sent, `INFO ${moved}`)
  reply(sent, { status: 200, reason: 'OK' })
  t.equal((await info).status, 200)
  const gone = dialog.destroy()
  const bye = await peer.nextThat(/^BYE/)
  reply(bye, { status: 200, reason: 'OK' })
  await gone
  await t.rejects(dialog.request({ method: 'INFO' }), {
    message: /unable to find dialog/,
    code: 'ENODIALOG',
  })
})

t.test('a re-INVITE that is refused leaves the call as it is', async (t) => {
  const context = await start(t)
  const { dialog } = await answeredCall(context)
  const { peer, reply } = context
  const modified = dialog.modify(SDP)
  const invite = await peer.nextThat(/^INVITE/)
  reply(invite, { status: 488, reason: 'Not Acceptable Here' })
  t.equal(await failure(modified), 488)
  const ack = await peer.nextThat(/^ACK/)
  t.equal(headerOf(ack, 'Via'), headerOf(invite, 'Via'), 'acknowledged by the server')
  const gone = dialog.destroy()
  reply(await peer.nextThat(/^BYE/), { status: 200, reason: 'OK' })
  await gone
})

t.test('the peer cancels', async (t) => {
  const context = await start(t)
  const { handled } = await routed(context)
  const branch = `z9hG4bKcancelled${Math.random()}`
  context.send({ branch, body: SDP })
  const { request, response } = await handled
  response.send(180)
  await context.peer.nextThat(/ 180 /)
  const cancelled = new Promise<void>((resolve) => request.on('cancel', () => resolve()))
  context.send({ method: 'CANCEL', branch })
  await cancelled
  t.match(headerOf(await context.peer.nextThat(/^SIP\/2\.0 200/), 'CSeq'), 'CANCEL')
  t.match(await context.peer.nextThat(/^SIP/), /^SIP\/2\.0 487/)
})

t.test('a reliable provisional response is repeated until its PRACK', async (t) => {
  const context = await start(t)
  const { send, peer } = context
  const { handled } = await routed(context)
  send({ body: SDP, headers: ['Supported: 100rel'] })
  const { response } = await handled
  const acknowledged = new Promise<Message>((resolve) => {
    response.send(183, { body: SDP, headers: { Require: '100rel' } }, undefined, resolve)
  })
  const progress = await peer.nextThat(/ 183 /)
  t.equal(await peer.nextThat(/ 183 /), progress, 'repeated')
  const toTag = tagIn(headerOf(progress, 'To'))
  const rack = `RAck: ${headerOf(progress, 'RSeq')} 1 INVITE`
  send({ method: 'PRACK', toTag, sequence: 2, headers: ['RAck: 1 1 INVITE'] })
  t.match(await peer.nextThat(/^SIP\/2\.0 4/), ' 481 ', 'one for something else is refused')
  send({ method: 'PRACK', toTag, sequence: 3, headers: [rack] })
  t.equal((await acknowledged).get('rack'), rack.slice(6))
})

t.test('createUAC: ringing, answer, call in both directions', async (t) => {
  const context = await start(t)
  const { srf, peer, target, reply, send } = context
  const rang: number[] = []
  const calling = srf.createUAC(
    target,
    { localSdp: SDP, headers: { 'X-A': 'b', From: '"Desk" <sip:+12025550100@localhost>' } },
    { cbProvisional: ({ status }: Message) => rang.push(status) },
  )
  const invite = await peer.nextThat(/^INVITE/)
  t.match(headerOf(invite, 'From'), /^"Desk" <sip:\+12025550100@127\.0\.0\.1:\d+>;tag=/)
  t.equal(headerOf(invite, 'X-A'), 'b')
  const headers = [`Contact: <${target}>`]
  reply(invite, { status: 100, reason: 'Trying' })
  reply(invite, { status: 180, reason: 'Ringing', toTag: 'uas', headers })
  reply(invite, { status: 200, reason: 'OK', toTag: 'uas', headers, body: SDP })
  const dialog = await calling
  t.same(rang, [180])
  t.equal(dialog.remote.sdp, SDP)
  t.match(await peer.nextThat(/^ACK/), `ACK ${target}`)
  const destroyed = new Promise<void>((resolve) => dialog.on('destroy', () => resolve()))
  const fromTag = 'uas'
  const toTag = tagIn(headerOf(invite, 'From'))
  send({ method: 'BYE', callId: headerOf(invite, 'Call-ID'), fromTag, toTag, sequence: 1 })
  await destroyed
  t.match(await peer.nextThat(/^SIP/), /^SIP\/2\.0 200/)
})

t.test('createUAC: refused, challenged, and cancelled', async (t) => {
  const { srf, peer, target, reply } = await start(t)
  const refused = srf.createUAC(target, { localSdp: SDP })
  const first = await peer.nextThat(/^INVITE/)
  reply(first, { status: 486, reason: 'Busy Here', toTag: 'x' })
  t.equal(await failure(refused), 486)
  t.equal(headerOf(await peer.nextThat(/^ACK/), 'Via'), headerOf(first, 'Via'))

  const challenged = srf.createUAC(target, {
    localSdp: SDP,
    auth: { username: 'trunk', password: 'secret' },
  })
  const bare = await peer.nextThat(/^INVITE/)
  reply(bare, {
    status: 401,
    reason: 'Unauthorized',
    toTag: 'x',
    headers: ['WWW-Authenticate: Digest realm="test", nonce="abc", qop="auth"'],
  })
  const signed = await peer.nextThat(/^INVITE/)
  t.match(headerOf(signed, 'Authorization'), /username="trunk"/)
  t.equal(headerOf(signed, 'Call-ID'), headerOf(bare, 'Call-ID'))
  t.equal(headerOf(signed, 'From'), headerOf(bare, 'From'))
  const number = Number.parseInt(headerOf(bare, 'CSeq') ?? '', 10)
  t.equal(headerOf(signed, 'CSeq'), `${number + 1} INVITE`)
  reply(signed, { status: 404, reason: 'Not Found', toTag: 'x' })
  t.equal(await failure(challenged), 404)

  let request: Request | undefined
  const abandoned = srf.createUAC(
    target,
    { localSdp: SDP },
    {
      cbRequest: (_error: unknown, sent: Request) => {
        request = sent
      },
    },
  )
  const ringing = await peer.nextThat(/^INVITE/)
  reply(ringing, { status: 180, reason: 'Ringing', toTag: 'x' })
  const cancelled = new Promise((resolve) => request?.cancel(resolve))
  const cancel = await peer.nextThat(/^CANCEL/)
  t.equal(headerOf(cancel, 'Via'), headerOf(ringing, 'Via'))
  t.equal(await cancelled, null)
  reply(cancel, { status: 200, reason: 'OK', toTag: 'x' })
  reply(ringing, { status: 487, reason: 'Request Terminated', toTag: 'x' })
  t.equal(await failure(abandoned), 487)
})

t.test('createB2BUA: two legs of one call', async (t) => {
  const context = await start(t)
  const { srf, peer, send } = context
  const platform = await UdpPeer.open()
  t.teardown(() => platform.close())
  const { handled } = await routed(context)
  send({ body: SDP })
  const { request, response } = await handled
  const joined = srf.createB2BUA(request, response, `sip:agent@127.0.0.1:${platform.port}`)
  const invite = await platform.nextThat(/^INVITE/)
  t.match(headerOf(invite, 'From'), '+12025550100')
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(headerOf(invite, 'Via') ?? '')?.[1])
  const headers = [`Contact: <sip:agent@127.0.0.1:${platform.port}>`]
  const answer = { status: 200, reason: 'OK', toTag: 'b', headers, body: SDP }
  platform.send(sipResponse(invite, answer), port)
  const { uas, uac } = await joined
  await platform.nextThat(/^ACK/)
  const toTag = tagIn(headerOf(await peer.nextThat(/^SIP\/2\.0 200/), 'To'))
  send({ method: 'ACK', toTag })
  uas.on('destroy', () => {
    void uac.destroy()
  })
  send({ method: 'BYE', toTag, sequence: 2 })
  const bye = await platform.nextThat(/^BYE/)
  platform.send(sipResponse(bye, { status: 200, reason: 'OK' }), port)
  t.match(await peer.nextThat(/^SIP/), /^SIP\/2\.0 200/)
})

t.test('OPTIONS and REGISTER outside of dialogs, in both directions', async (t) => {
  const context = await start(t)
  const { srf, peer, target, reply, send } = context
  srf.options((_request, response) =>
    response.send(200, { headers: { Accept: 'application/sdp' } }),
  )
  await routeSettled(context)
  send({ method: 'OPTIONS' })
  t.equal(headerOf(await peer.nextThat(/^SIP\/2\.0 200/), 'Accept'), 'application/sdp')
  const registering = srf.request(target, {
    method: 'REGISTER',
    headers: { Contact: '<sip:gateway@localhost>', Expires: '60' },
  })
  const register = await peer.nextThat(/^REGISTER/)
  t.match(headerOf(register, 'Contact'), /^<sip:gateway@127\.0\.0\.1:\d+>$/)
  const request = await registering
  const answered = new Promise<Message>((resolve) => request.on('response', resolve))
  reply(register, { status: 200, reason: 'OK', toTag: 'r', headers: ['Expires: 60'] })
  t.equal((await answered).get('expires'), '60')
  await t.rejects(srf.request(`sip:nobody@127.0.0.1;transport=sctp`, { method: 'OPTIONS' }), {
    message: /transport not available/,
  })
})

t.test('a name that nobody knows is a failed request', async (t) => {
  const { srf } = await start(t)
  t.equal(await failure(srf.createUAC('sip:agent@no-such-host.invalid', { localSdp: SDP })), 503)
})
