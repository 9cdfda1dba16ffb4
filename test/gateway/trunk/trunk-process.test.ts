import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { findContacts } from '../../../storage/contact-queries.ts'
import { storeFileOf } from '../../../storage/store-file.ts'
import { freePort } from '../../free-port.ts'
import { startMariadb } from '../../mariadb.ts'
import { decodeOpus } from '../../recorder/opus-file.ts'
import { toneShare } from '../../recorder/tones.ts'
import { until } from '../../until.ts'
import { contactOf, hasEnded } from '../contact-of.ts'
import { type GatewayFolder, makeGateway } from '../gateway-process.ts'
import { SipPeer } from '../sip-peer.ts'
import { MediaParty } from './media-party.ts'
import { PlatformCall } from './platform-call.ts'
import { audioPort, sdp } from './trunk-node.ts'

const run = promisify(execFile)
const SCENARIOS = new URL('../../../../test/gateway/sipp/', import.meta.url)
const scenario = (name: string) => new URL(name, SCENARIOS).pathname

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

/** On an embedded SIP server, or on the drachtio server that `TALLENNE_TEST_DRACHTIO` names. */
async function startTrunk(t: Test, platformPort: number): Promise<GatewayFolder> {
  const [host, port, secret, sipPort] = (process.env['TALLENNE_TEST_DRACHTIO'] ?? '').split(':')
  const isReal = host && port && secret && sipPort
  const targets = [{ uri: `sip:127.0.0.1:${platformPort}` }]
  const routes = [{ name: 'support', numbers: ['+12025550100'], targets }]
  const gateway = await makeGateway(mariadb.settings, {
    trunk: { routes, keepAlive: { everyS: 0 } },
    ...(isReal ? { sip: { drachtio: [{ host, port: Number(port), secret }] } } : {}),
  })
  t.teardown(() => gateway.remove())
  await gateway.start()
  return isReal ? { ...gateway, sip: { host, port: Number(sipPort) } } : gateway
}

/** A platform of sipp's that answers so many calls and echoes what it hears. */
async function startPlatform(
  t: Test,
  calls: number,
): Promise<{ readonly port: number; readonly ended: Promise<number | null> }> {
  const port = await freePort()
  const media = 36_000 + (port % 1000) * 4
  const child: ChildProcess = spawn(
    'sipp',
    [
      ...['-sf', scenario('trunk-platform.xml'), '-i', '127.0.0.1', '-p', String(port)],
      ...['-mp', String(media), '-rtp_echo', '-m', String(calls), '-nostdin', '-timeout', '60'],
    ],
    { stdio: 'ignore' },
  )
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  t.teardown(() => {
    if (child.exitCode === null) child.kill('SIGKILL')
  })
  return { port, ended }
}

t.test('sipp’s calls pass through to sipp’s platform', async (t) => {
  const platform = await startPlatform(t, 10)
  const gateway = await startTrunk(t, platform.port)
  const { port } = gateway.sip
  await run('sipp', [
    ...['-sf', scenario('trunk-caller.xml'), '-i', '127.0.0.1', '-r', '10', '-m', '10'],
    ...['-nostdin', '-timeout', '60', `127.0.0.1:${port}`],
  ])
  t.equal(await platform.ended, 0)
  const contacts = async () => (await findContacts(mariadb.pool(), { limit: 50 }, Date.now())).items
  const ended = await until(async () => {
    const found = (await contacts()).filter(hasEnded)
    return found.length >= 10 && found
  })
  t.equal(ended.length, 10)
  for (const contact of ended) {
    t.match(contact, {
      capture: 'trunk',
      serviceNumber: '+12025550100',
      serviceLine: 'asiakastuki',
      agent: '2000',
      endReason: 'bye',
      recordings: [{ state: 'silent', reasons: ['no_media'] }],
    })
  }
})

t.test('a call goes on and is recorded while the database is away', async (t) => {
  const platformPort = await freePort()
  const gateway = await startTrunk(t, platformPort)
  const caller = await SipPeer.open(gateway.sip)
  const platform = await SipPeer.open(gateway.sip, platformPort)
  t.teardown(() => Promise.all([caller.close(), platform.close()]))
  const [ear, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const callId = 'database-away'
  const to = 'sip:+12025550100@127.0.0.1'
  const call = caller.call({ callId, to, isPlain: true, body: sdp(ear.port) })
  call.sendInvite()
  const at = await PlatformCall.next(platform, new Set())
  const acknowledged = at.answer(sdp(agent.port))
  const answer = await call.answered()
  await acknowledged
  await mariadb.stop('SIGKILL')
  ear.talk(audioPort(answer.body), 600)
  agent.talk(audioPort(at.invite.body), 1500)
  await Promise.all([ear.hears(75), agent.hears(75)])
  t.equal((await call.bye()).status, 200)
  await mariadb.start()
  const contact = await contactOf(mariadb.pool(), callId, hasEnded)
  t.match(contact, { endReason: 'bye', recordings: [{ state: 'complete', reasons: [] }] })
  const [recording] = contact.recordings
  const file = readFileSync(join(gateway.dataPath, 'recordings', storeFileOf(recording?.id ?? '')))
  const decoded = decodeOpus(file)
  const middle = (samples: Int16Array) => samples.subarray(24_000, 28_800)
  t.ok(toneShare(middle(decoded.caller), 600, 48_000) > 0.9, 'the caller is on the first channel')
  t.ok(toneShare(middle(decoded.agent), 1500, 48_000) > 0.9, 'the platform is on the second')
})

const hasSoftphone = existsSync('/usr/lib/baresip/modules/ausine.so')
const skip = hasSoftphone ? false : 'baresip is not installed'
t.test('a softphone talks to the platform and hears it', { skip }, async (t) => {
  const platform = await startPlatform(t, 1)
  const gateway = await startTrunk(t, platform.port)
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-baresip-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(
    join(folder, 'config'),
    [
      'sip_listen 127.0.0.1:0',
      'audio_source ausine,440',
      'audio_player aubridge,nil',
      // What the tone comes in; the codec's rate is the call's own.
      'ausrc_srate 48000',
      'ausrc_channels 2',
      'auplay_srate 8000',
      'audio_channels 1',
      'module_path /usr/lib/baresip/modules',
      ...['g711.so', 'ausine.so', 'aubridge.so'].map((name) => `module ${name}`),
      ...['account.so', 'menu.so'].map((name) => `module_app ${name}`),
      '',
    ].join('\n'),
  )
  const account = '<sip:+12025550147@127.0.0.1>;regint=0;audio_codecs=PCMU;sip_autoanswer=no'
  writeFileSync(join(folder, 'accounts'), `${account}\n`)
  const dialled = `/dial sip:+12025550100@127.0.0.1:${gateway.sip.port}`
  await run('baresip', ['-f', folder, '-e', dialled, '-t', '4']).catch((error: unknown) => {
    t.comment(String(error))
  })
  const newest = async () => (await findContacts(mariadb.pool(), { limit: 1 }, Date.now())).items[0]
  const contact = await until(async () => {
    const found = await newest()
    return found !== undefined && hasEnded(found) && found
  })
  t.match(contact, {
    capture: 'trunk',
    caller: '+12025550147',
    agent: '2000',
    recordings: [{ state: 'complete' }],
  })
})
