import { spawn, spawnSync } from 'node:child_process'

/** `missing` is why tests that need Debian's prometheus are skipped; false where they are not. */
export const promtool = {
  missing: isInstalled('promtool') && isInstalled('prometheus') ? false : 'prometheus is not here',
} as const

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

export interface Ended {
  readonly code: number | null
  /** Both outputs. */
  readonly said: string
}

/** Runs promtool with its input. */
export async function runPromtool(words: readonly string[], input = ''): Promise<Ended> {
  const child = spawn('promtool', words, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  const hear = (chunk: Buffer) => {
    said += chunk.toString()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve)
  })
  child.stdin.end(input)
  return { code: await ended, said }
}

/** What promtool finds against metrics of ours; what prom-client serves of the process is its own affair. */
export async function lintMetrics(text: string): Promise<readonly string[]> {
  const { said } = await runPromtool(['check', 'metrics'], text)
  return said.split('\n').filter((line) => line.startsWith('tallenne_'))
}
