import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/**
 * Runs a load generator in a process of its own and resolves to the JSON that it prints at its end. `onLine` is told
 * of what it prints before, line by line.
 */
export async function runGenerator<Result>(
  script: string,
  options: Readonly<Record<string, string | number>>,
  onLine: (line: string) => void = () => {},
): Promise<Result> {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
  const child = spawn(process.execPath, [`build/bench/${script}.js`, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let result: Result | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) result = JSON.parse(line) as Result
    else onLine(line)
  }
  if (result === undefined) throw new Error(`${script} ended without a result`)
  return result
}
