import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { storeFileOf } from '../../storage/store-file.ts'
import { startMariadb } from '../mariadb.ts'
import { opusInfo } from '../recorder/opus-file.ts'
import { contactOf, hasEnded, isRecorded } from './contact-of.ts'
import { makeGateway } from './gateway-process.ts'
import { offer } from './recording-offer.ts'
import { SipPeer } from './sip-peer.ts'
import { talk } from './talk.ts'

const run = promisify(execFile)
const SCENARIO = new URL('../../../test/gateway/sipp/recording-session.xml', import.meta.url)

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

t.test('a call leaves a contact, a verdict, and a file that can be played', async (t) => {
  const gateway = await makeGateway(mariadb.settings)
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  const { call, spoken, close } = await talk(t, gateway, 'recorded')
  await spoken(100)
  await call.bye()
  await close()
  const contact = await contactOf(mariadb.pool(), 'recorded', hasEnded)
  t.match(contact, {
    capture: 'siprec',
    direction: 'inbound',
    caller: '+12025550147',
    serviceNumber: '+12025550100',
    agent: '2000',
    endReason: 'bye',
    segments: [{ agent: '2000' }],
    recordings: [{ state: 'complete', reasons: [], channels: ['caller', 'agent'] }],
  })
  const [recording] = contact.recordings
  t.ok((recording?.durationMs ?? 0) >= 1900)
  const file = readFileSync(join(gateway.dataPath, 'recordings', storeFileOf(recording?.id ?? '')))
  t.equal(file.length, recording?.bytes)
  t.match(opusInfo(file), /Playback length/)
  t.strictSame(gateway.spooled(), [])
  t.equal((await process.end('SIGTERM')).code, 0)
  t.notMatch(process.log(), /2025550147/, 'no caller number in the log')
})

t.test('engines log as much as the configuration says', async (t) => {
  for (const [level, isLogged] of [
    ['debug', true],
    ['info', false],
  ] as const) {
    const gateway = await makeGateway(mariadb.settings, { log: { level } })
    t.teardown(() => gateway.remove())
    const process = await gateway.start()
    t.equal((await process.end('SIGTERM')).code, 0)
    t.equal(/"level":"debug".*"engine":0.*"engine started"/.test(process.log()), isLogged)
  }
})

t.test('SIGTERM says BYE, closes the recording, and exits 0', async (t) => {
  const gateway = await makeGateway(mariadb.settings)
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  const { call, spoken, close } = await talk(t, gateway, 'stopped')
  await spoken(60)
  const bye = call.received('BYE')
  const { code, ms } = await process.end('SIGTERM')
  t.equal(code, 0)
  t.ok(ms < 30_000, `${ms} ms`)
  await bye
  await close()
  t.match(await contactOf(mariadb.pool(), 'stopped', hasEnded), {
    endReason: 'shutdown',
    recordings: [{ state: 'partial', reasons: ['shutdown'] }],
  })
})

t.test('what a SIGKILL leaves is repaired and given its verdict at the next start', async (t) => {
  const gateway = await makeGateway(mariadb.settings)
  t.teardown(() => gateway.remove())
  const killed = await gateway.start()
  const spoke = await talk(t, gateway, 'killed')
  const silent = await SipPeer.open(gateway.sip)
  const noMedia = silent.call({ callId: 'killed-silent', body: offer([{ port: 40_000 }]) })
  await noMedia.invite()
  await spoke.spoken(150)
  await contactOf(mariadb.pool(), 'killed', isRecorded)
  await contactOf(mariadb.pool(), 'killed-silent', isRecorded)
  await killed.end('SIGKILL')
  await spoke.close()
  await silent.close()
  t.equal(gateway.spooled().length, 1)

  const process = await gateway.start()
  const contact = await contactOf(mariadb.pool(), 'killed', hasEnded)
  t.match(contact, {
    endReason: 'crash',
    segments: [{ endedAt: String }],
    recordings: [{ state: 'partial', reasons: ['crash_recovered'] }],
  })
  const [recording] = contact.recordings
  t.ok((recording?.durationMs ?? 0) >= 1000, 'at most the last second is lost')
  const file = readFileSync(join(gateway.dataPath, 'recordings', storeFileOf(recording?.id ?? '')))
  t.equal(file.length, recording?.bytes)
  t.match(opusInfo(file), /Playback length/)
  t.strictSame(gateway.spooled(), [])
  t.match(await contactOf(mariadb.pool(), 'killed-silent', hasEnded), {
    endReason: 'crash',
    recordings: [{ state: 'failed', reasons: ['crash_recovered', 'no_media'], bytes: 0 }],
  })
  t.equal((await process.end('SIGTERM')).code, 0)
})

t.test('a database that goes away in mid-call costs no call and no row', async (t) => {
  const gateway = await makeGateway(mariadb.settings)
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  const during = await talk(t, gateway, 'during')
  await mariadb.stop('SIGKILL')
  const after = await talk(t, gateway, 'after')
  t.equal((await fetch(`${gateway.http}/readyz`)).status, 200)
  await after.spoken(50)
  await during.call.bye()
  await after.call.bye()
  await mariadb.start()
  for (const callId of ['during', 'after']) {
    t.match(await contactOf(mariadb.pool(), callId, hasEnded), {
      endReason: 'bye',
      recordings: [{ state: 'complete' }],
    })
  }
  await during.close()
  await after.close()
  t.equal((await process.end('SIGTERM')).code, 0)
})

t.test('sipp’s recording sessions pass over UDP and TCP', async (t) => {
  const gateway = await makeGateway(mariadb.settings)
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  for (const transport of ['u1', 't1']) {
    await run(
      'sipp',
      [
        ...['-sf', SCENARIO.pathname, '-t', transport, '-m', '10', '-r', '10', '-nostdin'],
        ...['-i', '127.0.0.1', '-timeout', '60s', '-timeout_error'],
        `${gateway.sip.host}:${gateway.sip.port}`,
      ],
      { cwd: gateway.folder },
    )
  }
  t.equal((await process.end('SIGTERM')).code, 0)
  const [{ ended }] = await mariadb
    .pool()
    .query(
      `SELECT COUNT(*) AS ended FROM contacts WHERE service_number_e164 = '+12025550101' AND end_reason = 'bye'`,
    )
  t.equal(ended, 20)
})

t.test(
  'an INVITE without any sign of a recording session is recorded, unless told otherwise',
  async (t) => {
    const answerTo = async (callId: string, changes: Readonly<Record<string, unknown>>) => {
      const gateway = await makeGateway(mariadb.settings, changes)
      t.teardown(() => gateway.remove())
      const process = await gateway.start()
      const peer = await SipPeer.open(gateway.sip)
      const call = peer.call({ callId, body: offer([{ port: 40_000 }]), isPlain: true })
      const { status } = await call.invite()
      if (status === 200) await call.bye()
      await peer.close()
      await process.end('SIGTERM')
      return status
    }
    const routes = [{ name: 'a', numbers: ['+12025550109'], targets: [{ uri: 'sip:127.0.0.1:9' }] }]
    t.equal(await answerTo('unmarked', {}), 200)
    t.match(await contactOf(mariadb.pool(), 'unmarked', hasEnded), { capture: 'siprec' })
    t.equal(await answerTo('unmarked-refused', { siprec: { unmarked: 'refuse' } }), 404)
    t.equal(await answerTo('unmarked-trunk', { trunk: { routes } }), 404)
    const both = { trunk: { routes }, siprec: { unmarked: 'record' } }
    t.equal(await answerTo('unmarked-both', both), 200)
  },
)

t.test('live calls are listed for who shows the admin token', async (t) => {
  const gateway = await makeGateway(mariadb.settings)
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  const { call, spoken, close } = await talk(t, gateway, 'live')
  await spoken(20)
  t.equal((await fetch(`${gateway.http}/api/calls`)).status, 401)
  gateway.write('admin.token', 'a-token-of-the-test\n')
  const response = await fetch(`${gateway.http}/api/calls`, {
    headers: { authorization: 'Bearer a-token-of-the-test' },
  })
  t.match(await response.json(), {
    items: [{ callId: 'live', state: 'established', caller: '+12025550147', isHeld: false }],
  })
  await call.bye()
  await close()
  t.equal(await gateway.metric('tallenne_calls_total{capture="siprec",peer="other"}'), 1)
  t.equal(await gateway.metric('tallenne_invite_to_200_seconds_count'), 1)
  await process.end('SIGTERM')
})

t.test('a start that cannot be says in one sentence why', async (t) => {
  const away = await makeGateway({ ...mariadb.settings, socketPath: '/nonexistent/mariadb.sock' })
  t.teardown(() => away.remove())
  const unreachable = await away.fail()
  t.equal(unreachable.code, 1)
  t.match(unreachable.said, /MariaDB does not answer .*\/nonexistent\/mariadb\.sock/)

  const wrong = await makeGateway(mariadb.settings, { media: { engines: 0 } })
  t.teardown(() => wrong.remove())
  const misconfigured = await wrong.fail()
  t.equal(misconfigured.code, 1)
  t.match(misconfigured.said, /media\.engines/)

  const taken = await makeGateway(mariadb.settings)
  t.teardown(() => taken.remove())
  const squatter = createServer()
  await new Promise<void>((resolve) => squatter.listen(taken.sip.port, '127.0.0.1', resolve))
  const refused = await taken.fail()
  squatter.close()
  t.equal(refused.code, 1)
  t.match(refused.said, new RegExp(`127\\.0\\.0\\.1:${taken.sip.port}`))
})
