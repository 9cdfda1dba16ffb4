import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/**
 * Runs a load generator in a process of its own and resolves to the JSON that it prints at its end. `onLine` is told
 * of what it prints before, line by line.
 */
export async function runGenerator<Result>(
  script: string,
  options: Readonly<Record<string, string | number>>,
  onLine: (line: string) => void = () => {},
): Promise<Result> {
  const child = startGenerator(script, options)
  let result: Result | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) result = JSON.parse(line) as Result
    else onLine(line)
  }
  if (result === undefined) throw new Error(`${script} ended without a result`)
  return result
}

/** A load generator in a process of its own; `script` is its place under bench/. */
export function startGenerator(
  script: string,
  options: Readonly<Record<string, string | number>>,
): ChildProcessByStdio<Writable, Readable, null> {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
  const path = new URL(`./${script}.js`, import.meta.url).pathname
  return spawn(process.execPath, [path, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
}
