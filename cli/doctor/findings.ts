import { messageOf } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { checkEncryption } from './encryption-findings.ts'
import type { Finding } from './finding.ts'
import {
  checkClock,
  checkCodecs,
  checkLimits,
  checkNode,
  checkPrograms,
  checkUser,
} from './machine-findings.ts'
import { checkDatabaseAnswers, checkFolder, checkPorts, checkProcesses } from './site-findings.ts'

/** Looks at everything, in the order in which it should be mended. Never rejects for what it finds. */
export async function findAll(readConfig: () => Config, rootPath: string): Promise<Finding[]> {
  const machine = [
    checkNode(),
    checkUser(),
    ...(await checkPrograms(rootPath)),
    ...(await checkClock()),
  ]
  let config: Config
  try {
    config = readConfig()
  } catch (error) {
    return [...machine, { level: 'fail', subject: 'configuration', text: messageOf(error) }]
  }
  const lines = config.serviceLines.length
  const processes = await checkProcesses(config)
  return [
    ...machine,
    {
      level: 'ok',
      subject: 'configuration',
      text: `${lines} service lines, data in ${config.dataPath}`,
    },
    await checkCodecs(config),
    ...(await checkLimits(config)),
    await checkFolder(config),
    await checkEncryption(config),
    ...(await checkPorts(config, processes.running)),
    await checkDatabaseAnswers(config),
    ...processes.findings,
  ]
}
