import { execFile } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { SystemClock } from '../../base/clock.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { codecsNamed } from '../../gateway/siprec/known-codecs.ts'
import { isFilteredCodec } from '../../recorder/decoding/filter-kinds.ts'
import { probeDecoders } from '../../recorder/decoding/probe-decoders.ts'
import type { Finding } from './finding.ts'

const run = promisify(execFile)

/** Sockets and files that a recording holds: RTP and RTCP for two streams, and its file. */
const DESCRIPTORS_PER_RECORDING = 5
const DESCRIPTORS_BESIDES = 200
/** Half a second of a thousand recordings' packets, should an engine be busy that long. */
const WANTED_RECEIVE_BUFFER = 1_048_576

export function checkNode(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  const text = `Node.js ${process.versions.node}`
  return major >= 20
    ? { level: 'ok', subject: 'node', text }
    : { level: 'fail', subject: 'node', text: `${text} is too old: install version 20 or newer.` }
}

/** Who runs this; whatever breaks into a process that is root's has the machine. */
export function checkUser(): Finding {
  if (process.getuid?.() !== 0) {
    return { level: 'ok', subject: 'user', text: 'not root, as it should be' }
  }
  const text =
    'this is root: let Tallenne run as a user of its own, as the units in deploy/systemd do.'
  return { level: 'warn', subject: 'user', text }
}

/** Programs and native modules that Tallenne starts or loads. */
export async function checkPrograms(rootPath: string): Promise<Finding[]> {
  return [
    checkOpus(rootPath),
    await checkProgram('mariadbd', {
      level: 'warn',
      remedy: 'needed for a private database alone: install mariadb-server-core.',
    }),
    await checkProgram('mariadb-install-db', {
      level: 'warn',
      remedy: 'needed for a private database alone: install mariadb-server-core.',
    }),
    await checkFfmpeg(),
  ]
}

function checkOpus(rootPath: string): Finding {
  try {
    createRequire(join(rootPath, 'package.json'))('@discordjs/opus')
    return { level: 'ok', subject: 'opus', text: 'the native encoder loads' }
  } catch (error) {
    const reason = messageOf(error).split('\n')[0]
    const text = `the native encoder does not load (${reason}): delete node_modules and start again.`
    return { level: 'fail', subject: 'opus', text }
  }
}

async function checkProgram(
  name: string,
  { level, remedy }: { readonly level: 'warn' | 'fail'; readonly remedy: string },
): Promise<Finding> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) return { level: 'ok', subject: name, text: path }
  }
  return { level, subject: name, text: `is missing; ${remedy}` }
}

async function checkFfmpeg(): Promise<Finding> {
  try {
    const { default: installer } = await import('@ffmpeg-installer/ffmpeg')
    const { stdout } = await run(installer.path, ['-version'])
    return {
      level: 'ok',
      subject: 'ffmpeg',
      text: /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? installer.path,
    }
  } catch (error) {
    const reason = messageOf(error).split('\n')[0]
    const text = `does not run (${reason}): rare codecs are not decoded, and audio comes as Ogg alone.`
    return { level: 'warn', subject: 'ffmpeg', text }
  }
}

/** The codecs that the configuration names, each tried where another program decodes it. */
export async function checkCodecs({ media }: Config): Promise<Finding> {
  const codecs = media.codecs.flatMap(codecsNamed)
  const findings = await probeDecoders(codecs.filter(isFilteredCodec), new SystemClock())
  const problems = findings.flatMap(({ problem }) => problem ?? [])
  if (problems.length > 0) return { level: 'warn', subject: 'codecs', text: problems.join('; ') }
  return { level: 'ok', subject: 'codecs', text: `${codecs.join(', ')} are decoded` }
}

/** Deletion in time needs the right time. */
export async function checkClock(): Promise<Finding[]> {
  const year = new Date().getUTCFullYear()
  if (year < 2025) {
    const text = `it is ${new Date().toISOString()} here: set the clock, since deletion goes by it.`
    return [{ level: 'fail', subject: 'clock', text }]
  }
  try {
    const { stdout } = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
    const isSynchronized = stdout.trim() === 'yes'
    return [
      isSynchronized
        ? { level: 'ok', subject: 'clock', text: `${new Date().toISOString()}, synchronized` }
        : {
            level: 'warn',
            subject: 'clock',
            text: `${new Date().toISOString()}, not synchronized: run an NTP client.`,
          },
    ]
  } catch {
    const text = `${new Date().toISOString()}; whether it is synchronized cannot be told here.`
    return [{ level: 'ok', subject: 'clock', text }]
  }
}

/** What the kernel allows, against what the configuration asks for. */
export async function checkLimits({ media }: Config): Promise<Finding[]> {
  const findings: Finding[] = []
  const limits = await readOrUndefined('/proc/self/limits')
  const softLimit = /^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1]
  if (softLimit !== undefined) {
    const needed = media.maxRecordings * DESCRIPTORS_PER_RECORDING + DESCRIPTORS_BESIDES
    const text = `${softLimit} open files; ${media.maxRecordings} recordings need ${needed}`
    findings.push(
      Number(softLimit) >= needed
        ? { level: 'ok', subject: 'descriptors', text }
        : {
            level: 'warn',
            subject: 'descriptors',
            text: `${text}: raise the limit (ulimit -n, LimitNOFILE=) or lower media.maxRecordings.`,
          },
    )
  }
  const buffer = (await readOrUndefined('/proc/sys/net/core/rmem_max'))?.trim()
  if (buffer !== undefined) {
    const text = `net.core.rmem_max is ${buffer}`
    findings.push(
      Number(buffer) >= WANTED_RECEIVE_BUFFER
        ? { level: 'ok', subject: 'udp buffers', text }
        : {
            level: 'warn',
            subject: 'udp buffers',
            text: `${text}: under load run sysctl -w net.core.rmem_max=${WANTED_RECEIVE_BUFFER}.`,
          },
    )
  }
  const { from, to } = media.ports
  const places = Math.floor((to - from + 1) / 4)
  if (places < media.maxRecordings) {
    const text = `ports ${from} to ${to} are enough for ${places} recordings, media.maxRecordings is ${media.maxRecordings}.`
    findings.push({ level: 'warn', subject: 'media ports', text })
  }
  return findings
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
