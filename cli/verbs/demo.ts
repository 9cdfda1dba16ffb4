import { join, resolve } from 'node:path'
import { formatAddress, localUrl } from '../../base/address.ts'
import { loadConfig } from '../../config/load-config.ts'
import { type DemonstrationResult, demonstrate } from '../demo/demonstration.ts'
import { readAddress } from '../up/address.ts'
import type { Installation } from '../up/installation.ts'
import { planUp } from '../up/plan-up.ts'
import { hasFlag, type Terminal, textOption, type Verb } from '../verb.ts'
import { startAndTell, stopInstallation, untilStopped } from './up.ts'

/** Starts everything, records a call, and shows what came of it. */
export const demoVerb: Verb = {
  name: 'demo',
  help: `Usage: tallenne demo [--once] [--data DIR] [--sip HOST:PORT] [--http HOST:PORT] [--config FILE]

Starts everything as tallenne up does, places a recorded call between two synthetic voices over
real SIP and RTP, shows it while it goes on, and then the contact row, the verdict, the file and
where to listen. Ports that are taken are replaced by free ones. Everything keeps running until
Ctrl-C.

  --once            end after the call; the exit code is 0 when its verdict is complete and its
                    file plays
  --data DIR        folder of everything that is written (else data/demo beside this program)
  --sip HOST:PORT   where SIP listens (else 127.0.0.1:5060)
  --http HOST:PORT  where the portal listens (else 127.0.0.1:8080)
  --config FILE     a configuration file (else TALLENNE_CONFIG, else the defaults)`,
  options: {
    once: { type: 'boolean' },
    data: { type: 'string' },
    sip: { type: 'string' },
    http: { type: 'string' },
    config: { type: 'string' },
  },
  words: [],
  run: async (given, terminal) => {
    const sip = textOption(given, 'sip')
    const http = textOption(given, 'http')
    const data = textOption(given, 'data')
    const plan = await planUp({
      config: loadConfig(textOption(given, 'config'), terminal.env),
      sip: sip === undefined ? undefined : readAddress(sip, '--sip'),
      http: http === undefined ? undefined : readAddress(http, '--http'),
      dataPath: data === undefined ? join(terminal.rootPath, 'data', 'demo') : resolve(data),
      movesPorts: true,
    })
    for (const note of plan.notes) terminal.print(note)
    const installation = await startAndTell(plan, terminal)
    try {
      const result = await demonstrate(installation.config, terminal)
      const isGood = result.recording.state === 'complete' && result.isPlayable
      const isOnce = hasFlag(given, 'once')
      tellHowToListen(result, { installation, terminal, isEnding: isOnce })
      if (isOnce) return isGood ? 0 : 1
      if (terminal.stopSignal().aborted) return 0
      terminal.print('')
      terminal.print('Everything keeps running; Ctrl-C ends it.')
      await untilStopped(terminal.stopSignal())
      return 0
    } finally {
      await stopInstallation(installation, terminal)
    }
  },
}

function tellHowToListen(
  { recording, contact }: DemonstrationResult,
  {
    installation,
    terminal,
    isEnding,
  }: {
    readonly installation: Installation
    readonly terminal: Terminal
    readonly isEnding: boolean
  },
): void {
  const { print } = terminal
  const { config, tokenPath } = installation
  const url = localUrl(config.http.portal)
  const data = `--data ${config.dataPath}`
  print('')
  print('To listen, and to look further')
  if (isEnding) {
    const [sip] = config.sip.listen
    const at = sip === undefined ? '' : ` --sip ${formatAddress(sip)}`
    print(`  ./tallenne up ${data}${at} --http ${formatAddress(config.http.portal)}`)
  }
  print(`  curl -H "Authorization: Bearer $(cat ${tokenPath})" \\`)
  print(`    -o call.opus ${url}/api/recordings/${recording.id}/audio`)
  print(`  ./tallenne recordings get ${recording.id} -o call.wav --format wav ${data}`)
  print(`  ./tallenne retention explain ${recording.id} ${data}`)
  print(`  ./tallenne contacts ${contact.id} ${data}`)
  print(`  in a browser: ${url}/`)
}
