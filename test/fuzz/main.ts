import { parseArgs } from 'node:util'
import { keepInput } from './corpus.ts'
import { runTarget } from './run-target.ts'
import { TARGETS } from './targets.ts'

const HELP = `Usage: npm run fuzz -- [--seconds N] [--target NAME]… [--seed N] [--keep]

Feeds each target with mutations of its corpus and of the fixtures, guided by what of the code they run,
and prints how many inputs were tried. The exit code is 1 where one broke something; that input is then
in test/fuzz/corpus, and tried first from then on.

  --seconds N     how long each target is fuzzed (else 10)
  --target NAME   one of ${TARGETS.map(({ name }) => name).join(', ')}
  --seed N        begins the random numbers (else the time)
  --keep          keeps inputs that did something new as well, up to 32 of 2 KiB at most for each target`

const MOST_KEPT = 32
const LARGEST_KEPT = 2048

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      target: { type: 'string', multiple: true },
      seed: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    print(HELP)
    return 0
  }
  const unknown = values.target?.find((name) => !TARGETS.some((target) => target.name === name))
  const seconds = Number(values.seconds)
  if (unknown !== undefined || !(seconds > 0)) {
    print(unknown === undefined ? 'The seconds are no number.' : `There is no target ${unknown}.`)
    print(HELP)
    return 2
  }
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
  const chosen = TARGETS.filter(({ name }) => values.target?.includes(name) ?? true)
  print(`${seconds} s for each of ${chosen.length} targets, seed ${seed}`)
  let total = 0
  let faults = 0
  for (const { name } of chosen) {
    const outcome = await runTarget(name, seconds * 1000, seed)
    total += outcome.executions
    faults += outcome.faults.length
    const { executions, poolSize, functions, kept } = outcome
    print(
      `  ${name.padEnd(16)} ${String(executions).padStart(10)} executions ${String(functions).padStart(5)} functions ${String(poolSize).padStart(5)} inputs ${String(kept.length).padStart(4)} new`,
    )
    for (const { input, key, stack } of outcome.faults) {
      print(`    ${key}: ${keepInput(name, input, 'crash')}\n${stack}`)
    }
    if (!values.keep) continue
    const small = kept.filter(({ length }) => length <= LARGEST_KEPT).slice(-MOST_KEPT)
    for (const input of small) keepInput(name, input, 'input')
  }
  print(`${total} executions, ${faults} ${faults === 1 ? 'fault' : 'faults'}`)
  return faults === 0 ? 0 : 1
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.exitCode = await main()
