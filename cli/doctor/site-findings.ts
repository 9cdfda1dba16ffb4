import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../base/address.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { checkDatabase, createDatabasePool, describeDatabase } from '../../storage/database.ts'
import { portState } from '../up/free-port.ts'
import { usesPrivateDatabase } from '../up/plan-up.ts'
import { PROCESSES, unreadyReason } from '../up/readiness.ts'
import type { Finding } from './finding.ts'

type ProcessName = (typeof PROCESSES)[number]

/** Below this a full disk is a matter of hours at a busy site. */
const LITTLE_SPACE_BYTES = 2 * 1024 ** 3

export async function checkFolder({ dataPath }: Config): Promise<Finding> {
  const subject = 'data folder'
  const probe = join(dataPath, `.writable-${process.pid}`)
  try {
    makeFolder(dataPath, 0o750)
    await writeFile(probe, '')
    await rm(probe)
    const { bavail, bsize } = await statfs(dataPath)
    const free = `${dataPath}, ${((Number(bavail) * Number(bsize)) / 1024 ** 3).toFixed(1)} GiB free`
    if (bavail * bsize >= LITTLE_SPACE_BYTES) return { level: 'ok', subject, text: free }
    return {
      level: 'warn',
      subject,
      text: `${free}: make room, since a full disk ends recordings.`,
    }
  } catch (error) {
    const text = `${dataPath} cannot be written (${messageOf(error)}): let it be a folder that this user may write, or set another dataPath.`
    return { level: 'fail', subject, text }
  }
}

/** Which processes answer, and how they are. */
export async function checkProcesses(
  config: Config,
): Promise<{ readonly findings: Finding[]; readonly running: ReadonlySet<ProcessName> }> {
  const running = new Set<ProcessName>()
  const findings: Finding[] = []
  for (const name of PROCESSES) {
    const reason = await unreadyReason(config.http[name], 2000)
    const where = formatAddress(config.http[name])
    if (reason === 'no answer yet') {
      findings.push({
        level: 'warn',
        subject: name,
        text: `does not answer at ${where}: not running?`,
      })
      continue
    }
    running.add(name)
    findings.push(
      reason === undefined
        ? { level: 'ok', subject: name, text: `ready at ${where}` }
        : { level: 'fail', subject: name, text: `runs at ${where} but is not ready: ${reason}` },
    )
  }
  return { findings, running }
}

/** Ports are free, or held by the processes that they are meant for. */
export async function checkPorts(
  { sip, http }: Config,
  running: ReadonlySet<ProcessName>,
): Promise<Finding[]> {
  const wanted = [
    ...(sip.drachtio ? [] : sip.listen).map(({ transport, host, port }) => ({
      owner: 'gateway' as const,
      name: `SIP ${transport}`,
      transport,
      address: { host, port },
    })),
    ...PROCESSES.map((owner) => ({
      owner,
      name: 'HTTP',
      transport: 'tcp' as const,
      address: http[owner],
    })),
  ]
  const findings: Finding[] = []
  for (const { owner, name, transport, address } of wanted) {
    const state = await portState(address, transport)
    const where = `${name} ${formatAddress(address)} of ${owner}`
    const subject = 'port'
    if (state.kind === 'unusable') {
      const text = `${where} cannot be used (${state.reason}): configure an address of this machine.`
      findings.push({ level: 'fail', subject, text })
    } else if (state.kind === 'taken' && !running.has(owner)) {
      const text = `${where} is in use by another process: end that one, or configure another port.`
      findings.push({ level: 'fail', subject, text })
    } else {
      const text = state.kind === 'free' ? `${where} is free` : `${where} is in use by it`
      findings.push({ level: 'ok', subject, text })
    }
  }
  return findings
}

export async function checkDatabaseAnswers(config: Config): Promise<Finding> {
  const subject = 'database'
  if (usesPrivateDatabase(config)) {
    return { level: 'ok', subject, text: 'a private one, which tallenne up starts' }
  }
  const pool = createDatabasePool({ ...config.database, connections: 1 })
  try {
    await checkDatabase(pool, config.database)
    return { level: 'ok', subject, text: describeDatabase(config.database) }
  } catch (error) {
    return { level: 'fail', subject, text: messageOf(error) }
  } finally {
    await pool.end()
  }
}
