import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { endOggPage } from '../../recorder/ogg-page.ts'
import { findRecording } from '../../storage/contact-queries.ts'
import { endedPages } from '../../storage/encryption/ended-pages.ts'
import { openAudio } from '../../storage/encryption/opened-audio.ts'
import type { ContactView } from '../../storage/model.ts'
import { startMariadb } from '../mariadb.ts'
import { opusInfo } from '../recorder/opus-file.ts'
import { makeKey, openWithAge } from '../storage/encryption/keys.ts'
import { contactOf, hasEnded, isRecorded } from './contact-of.ts'
import { makeGateway } from './gateway-process.ts'
import { talk } from './talk.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const folder = mkdtempSync(join(tmpdir(), 'tallenne-keys-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const key = await makeKey(folder)
const recipientsFile = join(folder, 'recipients.txt')
writeFileSync(recipientsFile, `${key.recipient}\n`)

async function fileOf(contact: ContactView) {
  const id = contact.recordings[0]?.id ?? ''
  const found = await findRecording(mariadb.pool(), id, Date.now())
  if (!found || found.file === null) throw new Error('there is no file')
  return { id, ...found, file: found.file }
}

t.test('a call is in the store as an age file that its recipient alone opens', async (t) => {
  const gateway = await makeGateway(mariadb.settings, { encryption: { recipientsFile } })
  t.teardown(() => gateway.remove())
  const process = await gateway.start()
  const call = await talk(t, gateway, 'encrypted')
  await call.spoken(100)
  const [spooled = ''] = gateway.spooled()
  t.match(spooled, /\.opus\.sealed$/)
  t.notOk(readFileSync(join(gateway.dataPath, 'spool', spooled)).includes('OggS'))

  // From the next recording on, without a restart.
  const second = await makeKey(folder, 'second.txt')
  writeFileSync(recipientsFile, `${key.recipient}\n${second.recipient}\n`)
  const later = await talk(t, gateway, 'later')
  await later.spoken(50)
  for (const one of [call, later]) {
    await one.call.bye()
    await one.close()
  }
  const contact = await contactOf(mariadb.pool(), 'encrypted', hasEnded)
  t.match(
    contact.recordings,
    [{ state: /complete|partial/ }],
    'as far as this machine is not too busy',
  )
  const { file, view, stored } = await fileOf(contact)
  const path = join(gateway.dataPath, 'recordings', file)
  const audio = openWithAge(path, key.path)
  t.match(opusInfo(audio), /Playback length/)
  t.match(view, { bytes: audio.length })
  t.match(stored, { encryption: 'age', bytes: readFileSync(path).length })
  t.throws(() => openWithAge(path, second.path), /no identity matched/)
  const other = await fileOf(await contactOf(mariadb.pool(), 'later', hasEnded))
  t.ok(openWithAge(join(gateway.dataPath, 'recordings', other.file), second.path).length > 1000)
  t.strictSame(gateway.spooled(), [])
  t.equal((await process.end('SIGTERM')).code, 0)
})

t.test('what a SIGKILL leaves gets its verdict from a gateway that cannot hear it', async (t) => {
  const gateway = await makeGateway(mariadb.settings, {
    encryption: { recipients: [key.recipient] },
  })
  t.teardown(() => gateway.remove())
  const killed = await gateway.start()
  const call = await talk(t, gateway, 'killed')
  await call.spoken(150)
  await contactOf(mariadb.pool(), 'killed', isRecorded)
  await killed.end('SIGKILL')
  await call.close()
  t.match(gateway.spooled(), [/\.opus\.sealed$/])

  const process = await gateway.start()
  const contact = await contactOf(mariadb.pool(), 'killed', hasEnded)
  t.match(contact.recordings, [{ state: 'partial', reasons: ['crash_recovered'] }])
  const { file, view, stored } = await fileOf(contact)
  t.match(stored, { encryption: 'sealed', keySet: key.recipients.keySet })
  t.ok((view.durationMs ?? 0) >= 1000, 'at most the last second is lost')
  const path = join(gateway.dataPath, 'recordings', file)
  const opened = await openAudio(await open(path), key.identities)
  const pages: Uint8Array[] = []
  const left = endedPages(opened.read(0, opened.bytes - 1), endOggPage)
  for await (const page of left) pages.push(page)
  await opened.close()
  const audio = Buffer.concat(pages)
  t.equal(audio.length, view.bytes)
  const seconds = Number(/Playback length: 0m:([\d.]+)s/.exec(opusInfo(audio))?.[1])
  t.ok(Math.abs(seconds * 1000 - (view.durationMs ?? 0)) < 20, `${seconds} s`)
  t.strictSame(gateway.spooled(), [])
  t.equal((await process.end('SIGTERM')).code, 0)
})

t.test('a gateway whose recipients cannot be taken does not start', async (t) => {
  const missing = join(folder, 'missing.txt')
  const gateway = await makeGateway(mariadb.settings, { encryption: { recipientsFile: missing } })
  t.teardown(() => gateway.remove())
  const { code, said } = await gateway.fail()
  t.equal(code, 1)
  t.match(said, /missing\.txt cannot be read/)
  const spool = join(gateway.dataPath, 'spool')
  t.same(existsSync(spool) ? readdirSync(spool) : [], [])
})
