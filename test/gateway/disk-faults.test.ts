import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import type { Pool } from '../../storage/database.ts'
import { startMariadb } from '../mariadb.ts'
import { HungMount } from '../storage/disk/hung-mount.ts'
import { RealDisk } from '../storage/disk/real-disk.ts'
import { until } from '../until.ts'
import { contactOf, hasEnded } from './contact-of.ts'
import { type GatewayFolder, makeGateway } from './gateway-process.ts'
import { SipPeer } from './sip-peer.ts'
import { placeCall } from './talk.ts'

const run = promisify(execFile)
const obstacle = RealDisk.obstacle
const skip = obstacle === undefined ? false : obstacle

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

/** A gateway whose journal, spool and store are each on a disk of its own that can be broken. */
async function startGateway(t: Test) {
  const [journal, spool, store] = [RealDisk.open(t), RealDisk.open(t), RealDisk.open(t)]
  const gateway = await makeGateway(mariadb.settings, {
    dataPath: join(journal.path, 'data'),
    disks: {
      spoolPath: join(spool.path, 'spool'),
      storePath: join(store.path, 'store'),
      warnFreeGiB: 0.001,
      refuseFreeGiB: 0.0005,
      hungAfterS: 2,
    },
  })
  t.teardown(() => gateway.remove())
  const running = await gateway.start()
  return { gateway, running, journal, spool, store }
}

/** Speaks so many packets more, and hangs up. */
async function sayMore({ call, spoken }: Awaited<ReturnType<typeof placeCall>>, packets: number) {
  await spoken(packets)
  await call.bye()
}

async function notReady(gateway: GatewayFolder, reason: RegExp): Promise<void> {
  await until(async () => reason.test(await (await fetch(`${gateway.http}/readyz`)).text()), 50)
}

async function nextCallIsComplete(t: Test, gateway: GatewayFolder, callId: string): Promise<void> {
  let next = await placeCall(t, gateway, `${callId}-0`)
  for (let attempt = 1; next.status === 503; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    next = await placeCall(t, gateway, `${callId}-${attempt}`)
  }
  await sayMore(next, 60)
  const contact = await contactOf(mariadb.pool(), next.call.callId, hasEnded)
  t.match(contact.recordings, [{ state: 'complete' }])
}

t.test(
  'a spool that fills up in mid-call costs the audio that does not fit',
  { skip },
  async (t) => {
    const { gateway, spool, store } = await startGateway(t)
    const talking = await placeCall(t, gateway, 'full')
    await talking.spoken(75)
    const empty = await spool.fill()
    await notReady(
      gateway,
      /"admission","ready":false,"reason":"the disk of [^"]+ (is too full|takes nothing)/,
    )
    const refused = await placeCall(t, gateway, 'full-refused')
    t.equal(refused.status, 503)
    t.equal(refused.headers.get('retry-after'), '30')
    await sayMore(talking, 300)
    const contact = await contactOf(mariadb.pool(), 'full', hasEnded)
    const [recording] = contact.recordings
    t.equal(recording?.state, 'partial')
    // A machine that is too busy adds reasons of its own.
    for (const reason of ['disk_full', 'length_mismatch'] as const) {
      t.ok(recording?.reasons.includes(reason), reason)
    }
    const { stdout } = await run('find', [store.path, '-name', `${recording?.id}.opus`])
    const probed = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'format=duration',
      '-of',
      'csv=p=0',
      stdout.trim(),
    ])
    t.ok(
      Math.abs(Number(probed.stdout) * 1000 - (recording?.durationMs ?? 0)) < 30,
      'it is as long as it says',
    )
    t.match(await contactOf(mariadb.pool(), 'full-refused'), { endReason: 'refused_503' })
    t.equal(
      await gateway.metric('tallenne_admission_turned_total{resource="spool",became="refused"}'),
      1,
    )
    empty()
    await nextCallIsComplete(t, gateway, 'emptied')
  },
)

t.test(
  'a spool that hangs in mid-call ends its recordings and holds up nothing else',
  { skip },
  async (t) => {
    const { gateway, spool } = await startGateway(t)
    const talking = await placeCall(t, gateway, 'hung')
    await talking.spoken(75)
    const thaw = await spool.freeze()
    await notReady(gateway, /has not answered/)
    t.equal((await placeCall(t, gateway, 'hung-refused')).status, 503)
    await sayMore(talking, 100)
    const contact = await contactOf(mariadb.pool(), 'hung', hasEnded)
    t.match(contact.recordings, [
      { state: 'partial', reasons: ['write_failed', 'length_mismatch'] },
    ])
    await thaw()
    await nextCallIsComplete(t, gateway, 'thawed')
  },
)

t.test('a spool of errors ends its recordings as partial', { skip }, async (t) => {
  const { gateway, spool } = await startGateway(t)
  const talking = await placeCall(t, gateway, 'errors')
  await talking.spoken(75)
  await spool.breakDown()
  await sayMore(talking, 100)
  const contact = await contactOf(mariadb.pool(), 'errors', hasEnded)
  t.match(contact.recordings, [{ state: 'partial' }])
  t.ok(contact.recordings[0]?.reasons.includes('write_failed'))
})

t.test(
  'a store that hangs costs nothing, and gets the recording when it is back',
  { skip },
  async (t) => {
    const { gateway, store } = await startGateway(t)
    const talking = await placeCall(t, gateway, 'store')
    const thaw = await store.freeze()
    await sayMore(talking, 100)
    const contact = await contactOf(mariadb.pool(), 'store', hasEnded)
    t.match(contact.recordings, [{ state: 'complete' }])
    t.equal(await gateway.metric('tallenne_recordings_unstored'), 1)
    const during = await placeCall(t, gateway, 'store-during')
    t.equal(during.status, 200, 'the next call is recorded too')
    await thaw()
    await sayMore(during, 60)
    await contactOf(mariadb.pool(), 'store-during', hasEnded)
    await until(async () => (await gateway.metric('tallenne_recordings_unstored')) === 0, 50)
    const id = contact.recordings[0]?.id ?? ''
    const where = { pool: mariadb.pool(), id, storePath: join(store.path, 'store') }
    await until(() => isStored(where), 20)
  },
)

/** How long OPTIONS took to be answered. */
async function ping(gateway: GatewayFolder, callId: string): Promise<number> {
  const peer = await SipPeer.open(gateway.sip)
  try {
    const startedAt = performance.now()
    const made = peer.call({ callId, to: 'sip:127.0.0.1' })
    made.request('OPTIONS')
    await made.response('OPTIONS')
    return performance.now() - startedAt
  } finally {
    await peer.close()
  }
}

t.test(
  'a journal that hangs in mid-call costs that call nothing, and new ones are refused until it is back',
  { skip },
  async (t) => {
    const { gateway, running, journal } = await startGateway(t)
    const talking = await placeCall(t, gateway, 'journal')
    const thaw = await journal.freeze()
    t.teardown(() => thaw().catch(() => undefined))
    const frozenAt = performance.now()
    const meeting = await placeCall(t, gateway, 'journal-meets')
    t.equal(meeting.status, 503, 'it came before the hang was known')
    await notReady(gateway, /"journal","ready":false,"reason":"[^"]*has not answered/)
    for (let turn = 0; performance.now() - frozenAt < 5000; turn++) {
      const took = await ping(gateway, `journal-ping-${turn}`)
      t.ok(took < 2000, `OPTIONS took ${Math.round(took)} ms`)
      const askedAt = performance.now()
      t.equal((await fetch(`${gateway.http}/healthz`)).status, 200)
      t.ok(performance.now() - askedAt < 2000)
      const refused = await placeCall(t, gateway, `journal-refused-${turn}`)
      t.equal(refused.status, 503)
      t.equal(refused.headers.get('retry-after'), '30')
      await delay(300)
    }
    t.equal(await gateway.metric('tallenne_journal_hung'), 1)
    t.ok(((await gateway.metric('tallenne_journal_unwritten')) ?? 0) > 0)
    await sayMore(talking, 50)
    await thaw()
    const contact = await contactOf(mariadb.pool(), 'journal', hasEnded)
    t.match(contact, { endReason: 'bye', recordings: [{ state: 'complete', lostMs: 0 }] })
    t.match(await contactOf(mariadb.pool(), 'journal-meets'), { endReason: 'refused_503' })
    t.match(await contactOf(mariadb.pool(), 'journal-refused-0'), { endReason: 'refused_503' })
    await nextCallIsComplete(t, gateway, 'journal-thawed')
    t.equal(await gateway.metric('tallenne_journal_hung'), 0)
    t.equal(await gateway.metric('tallenne_journal_refused_total'), 0)
    t.match(running.log(), /"journal hangs"/)
    t.match(running.log(), /"journal’s disk answers again"/)
  },
)

t.test(
  'a gateway ends in time while its journal hangs, and says what is lost',
  { skip },
  async (t) => {
    const { gateway, running, journal } = await startGateway(t)
    await placeCall(t, gateway, 'journal-end')
    const thaw = await journal.freeze()
    t.teardown(() => thaw().catch(() => undefined))
    const ended = running.end('SIGTERM')
    const said = /"entries":(\d+),[^\n]*"journal ends while its disk hangs"/
    const entries = await until(() => said.exec(running.log())?.[1])
    t.ok(Number(entries) > 0)
    // The kernel holds on to a process that it has killed in the middle of a write.
    await thaw()
    await ended
  },
)

t.test(
  'a store that hangs at the start holds nothing up, and gets all that waits when it is back',
  { skip: (await HungMount.obstacle()) ?? false },
  async (t) => {
    const storePath = mkdtempSync(join(tmpdir(), 'tallenne-store-'))
    t.teardown(() => rmSync(storePath, { recursive: true, force: true }))
    const gateway = await makeGateway(mariadb.settings, { disks: { storePath, hungAfterS: 2 } })
    t.teardown(() => gateway.remove())
    const first = await gateway.start()
    await sayMore(await placeCall(t, gateway, 'hung-before'), 60)
    const before = await contactOf(mariadb.pool(), 'hung-before', hasEnded)
    const broken = await placeCall(t, gateway, 'hung-broken')
    await broken.spoken(75)
    await first.end('SIGKILL')
    await broken.close()
    // As a crash leaves it that comes between the move into the store and the verdict.
    await mariadb
      .pool()
      .query(
        `UPDATE recordings SET state = 'recording', verdict = NULL, file = NULL WHERE id = ?`,
        [before.recordings[0]?.id],
      )
    rmSync(join(storePath, '.tallenne-store'))

    const hung = await HungMount.over(t, storePath)
    const second = await gateway.start()
    t.match(second.log(), /"msg":"store does not answer: recordings wait for it"/)
    const readiness = await fetch(`${gateway.http}/readyz`)
    t.equal(readiness.status, 200, 'it takes calls')
    const { checks }: { checks: { name: string }[] } = JSON.parse(await readiness.text())
    t.match(
      checks.find(({ name }) => name === 'store'),
      { ready: false, reason: /has not answered/ },
    )
    const hangs = 'tallenne_disk_state{disk="store",state="hung"}'
    await until(async () => (await gateway.metric(hangs)) === 1, 50)
    await sayMore(await placeCall(t, gateway, 'hung-during'), 60)
    const during = await contactOf(mariadb.pool(), 'hung-during', hasEnded)
    t.match(during.recordings, [{ state: 'complete' }])
    const left = await contactOf(mariadb.pool(), 'hung-broken', hasEnded)
    t.match(left.recordings, [{ state: 'partial', reasons: ['crash_recovered'] }])
    t.equal(await gateway.metric('tallenne_recordings_unstored'), 2)

    await hung.end()
    await until(async () => (await gateway.metric('tallenne_recordings_unstored')) === 0, 50)
    const judged = await contactOf(mariadb.pool(), 'hung-before', hasEnded)
    t.match(judged.recordings, [{ state: 'partial', reasons: ['crash_recovered'] }])
    const ids = [before, left, during].map(({ recordings }) => recordings[0]?.id)
    for (const id of ids) {
      const where = { pool: mariadb.pool(), id, storePath }
      await until(() => isStored(where), 20)
    }
    await until(() => existsSync(join(storePath, '.tallenne-store')), 50)
    t.notOk((await (await fetch(`${gateway.http}/readyz`)).text()).includes('has not answered'))
  },
)

t.test(
  'a journal that hangs at the start is told at once, and calls are taken when its disk is back',
  { skip: (await HungMount.obstacle()) ?? false },
  async (t) => {
    const gateway = await makeGateway(mariadb.settings)
    t.teardown(() => gateway.remove())
    await (await gateway.start()).end('SIGTERM')
    const hung = await HungMount.over(t, join(gateway.dataPath, 'journal'))
    const second = gateway.start()
    second.catch(() => undefined)
    await until(() => fetch(`${gateway.http}/readyz`).catch(() => undefined), 50)
    await notReady(gateway, /"journal","ready":false,"reason":"the journal’s disk has not answered/)
    await until(async () => (await gateway.metric('tallenne_journal_hung')) === 1, 50)
    t.equal((await placeCall(t, gateway, 'journal-hung')).status, 503)

    await hung.end()
    const running = await second
    t.match(running.log(), /"msg":"journal hangs"/)
    await nextCallIsComplete(t, gateway, 'journal-answers')
    const refused = await contactOf(mariadb.pool(), 'journal-hung', hasEnded)
    t.equal(refused.recordings.length, 0, 'a call that was refused has its row, and no recording')
  },
)

/** Whether the row says where the file is, and it is there. */
async function isStored(of: {
  readonly pool: Pool
  readonly id: string | undefined
  readonly storePath: string
}): Promise<boolean> {
  const rows: { file: string | null }[] = await of.pool.query(
    'SELECT file FROM recordings WHERE id = ?',
    [of.id],
  )
  const file = rows[0]?.file
  return typeof file === 'string' && existsSync(join(of.storePath, file))
}
