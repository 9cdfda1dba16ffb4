import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { Turns } from '../base/turns.ts'
import { DirectDisk } from '../storage/disk/direct-disk.ts'
import { wrapNewKey } from '../storage/encryption/age-header.ts'
import { AGE_CHUNK_BYTES, sealPiece } from '../storage/encryption/age-stream.ts'
import { readRecipients } from '../storage/encryption/recipients.ts'
import { SealedRecording } from '../storage/encryption/sealed-recording.ts'
import { RecordingFile } from '../storage/recording-file.ts'
import { measureBareLibopus, type OpusSettings } from './bare-libopus.ts'
import { VOICES } from './bench-settings.ts'
import { cpuMsOf, median } from './machine-noise.ts'
import { continuousSpeech, decoded } from './speech.ts'

const ROUNDS = 7
const CALLS = 20
const CALL_S = 180
/** As an engine writes them where both parties talk: a page each 100 ms. */
const PAGES_A_SECOND = 10
const PAGE_BYTES = 324
const MIB = 16 * AGE_CHUNK_BYTES

interface Sink {
  write(page: Uint8Array): void
  readonly pendingBytes: number
  finish(): Promise<unknown>
}

/** What encryption adds to a second of call, against libopus on the same second in the same run. */
export async function benchEncryption({ opus }: { readonly opus: OpusSettings }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-bench-'))
  try {
    await measure(folder, opus)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measure(folder: string, opus: OpusSettings): Promise<void> {
  const identities = await Promise.all([generateX25519Identity(), generateX25519Identity()])
  const list = await Promise.all(identities.map((identity) => identityToRecipient(identity)))
  const recipients = readRecipients({ recipients: list })
  const disk = new DirectDisk()
  const turns = new Turns(4)
  const openPlain = (path: string) => new RecordingFile(path, { disk })
  const openSealed = (path: string) =>
    new SealedRecording({
      ...{ recipients, disk, turns },
      sealedPath: `${path}.sealed`,
      agePath: `${path}.age`,
      positionOf: () => 0,
      onStayedSealed: (reason) => {
        throw new Error(reason)
      },
    })

  const rounds: { libopus: number; plain: number; sealed: number; header: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const speech = continuousSpeech(VOICES).map(decoded)
    rounds.push({
      libopus: measureBareLibopus(speech, opus, { rounds: 1 }),
      plain: await costOf(join(folder, `plain-${round}`), openPlain),
      sealed: await costOf(join(folder, `sealed-${round}`), openSealed),
      header: await cpuOf(async () => {
        for (let call = 0; call < CALLS; call++) await wrapNewKey(list)
      }),
    })
  }
  const of = (read: (round: (typeof rounds)[number]) => number) => median(rounds.map(read))
  const added = of(({ sealed, plain, libopus }) => (sealed - plain) / libopus)
  console.log(`encryption to ${list.length} recipients, calls of ${CALL_S} s`)
  console.log(
    `  libopus            ${of(({ libopus }) => libopus).toFixed(2)} ms for a second of call`,
  )
  console.log(`  file in the clear  ${of(({ plain }) => plain).toFixed(3)} ms`)
  console.log(`  sealed, then age   ${of(({ sealed }) => sealed).toFixed(3)} ms`)
  console.log(`  of which header    ${of(({ header }) => header / CALLS).toFixed(2)} ms for a call`)
  console.log(`  encryption adds    ${(100 * added).toFixed(1)} % of libopus`)
  await compareStreams(list)
}

/** CPU milliseconds for a second of call. */
async function costOf(path: string, openSink: (path: string) => Sink): Promise<number> {
  const page = Buffer.alloc(PAGE_BYTES, 7)
  const costMs = await cpuOf(async () => {
    for (let call = 0; call < CALLS; call++) {
      const sink = openSink(`${path}-${call}`)
      for (let second = 0; second < CALL_S; second++) {
        for (let index = 0; index < PAGES_A_SECOND; index++) sink.write(Buffer.from(page))
        // Each second's pages reach the disk on their own, as they do in a call.
        do await new Promise((resolve) => setImmediate(resolve))
        while (sink.pendingBytes > 0)
      }
      await sink.finish()
    }
  })
  return costMs / CALLS / CALL_S
}

/** The chunks of age by the package's own stream, and by node:crypto. */
async function compareStreams(list: readonly string[]): Promise<void> {
  const plain = Buffer.alloc(MIB, 7)
  const key = Buffer.alloc(32, 1)
  const encrypter = new Encrypter()
  for (const recipient of list) encrypter.addRecipient(recipient)
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const byPackage = await cpuOf(async () => void (await encrypter.encrypt(plain)))
    const byNode = cpuMsOf(() => {
      for (let index = 0; index < 16; index++) {
        const chunk = plain.subarray(index * AGE_CHUNK_BYTES, (index + 1) * AGE_CHUNK_BYTES)
        sealPiece(key, { index, isLast: index === 15 }, { plain: chunk })
      }
    })
    ratios.push(byPackage / byNode)
  }
  console.log(
    `  a MiB by the package’s own stream takes ${median(ratios).toFixed(1)} × node:crypto`,
  )
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1000
}
