import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { lastComplaint } from './last-complaint.ts'
import { RotatingFile } from './rotating-file.ts'

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 30_000
/** Having run so long, a process that ends is no longer failing at its start. */
const STEADY_MS = 60_000
const KEPT_OUTPUT = 8192

export interface SupervisedOptions {
  /** As shown to people: `gateway`. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** Where both output streams go. */
  readonly logPath: string
  readonly clock: Clock
  /** Told of each end that nobody asked for, before it is started again. */
  onEnded(report: EndReport): void
  /** Told of each start. */
  onStarted?(pid: number): void
}

export interface EndReport {
  readonly name: string
  /** As `exit code 1` or `SIGSEGV`. */
  readonly how: string
  /** What it said last that reads like the reason, or undefined. */
  readonly complaint: string | undefined
  readonly restartInMs: number
}

/**
 * A process that is started again when it ends, sooner at first and later when it keeps failing.
 *
 * It runs in a session of its own, so that Ctrl-C reaches it through `stop` alone and in its turn.
 */
export class SupervisedProcess {
  readonly #options: SupervisedOptions
  readonly #log: RotatingFile
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #restart: Timer | undefined
  #waitMs = FIRST_WAIT_MS
  #isStopping = false
  #output = ''

  constructor(options: SupervisedOptions) {
    this.#options = options
    this.#log = new RotatingFile(options.logPath)
  }

  get name(): string {
    return this.#options.name
  }

  /** Undefined between two runs. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    if (this.#child || this.#isStopping) return
    const { command, args, env, clock } = this.#options
    const startedMs = clock.monotonicMs()
    this.#output = ''
    const child = spawn(command, args, {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => this.#keep(chunk))
    }
    if (child.pid !== undefined) this.#options.onStarted?.(child.pid)
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        if (this.#child !== child) return
        this.#child = undefined
        if (!this.#isStopping) this.#endedUnasked(how, clock.monotonicMs() - startedMs)
        resolve()
      }
      child.once('error', (error) => {
        this.#keep(Buffer.from(`${messageOf(error)}\n`))
        end('it could not be started')
      })
      child.once('close', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  /** Ends it: SIGTERM, and SIGKILL where it still runs after `graceMs`. Idempotent. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    this.#restart?.cancel()
    const child = this.#child
    if (child) {
      child.kill('SIGTERM')
      const kill = this.#options.clock.after(graceMs, () => child.kill('SIGKILL'))
      await this.#ended
      kill.cancel()
    }
    this.#log.close()
  }

  /** Ends it at once. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  #endedUnasked(how: string, ranMs: number): void {
    const { name, clock, onEnded } = this.#options
    if (ranMs > STEADY_MS) this.#waitMs = FIRST_WAIT_MS
    const restartInMs = this.#waitMs
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS)
    this.#restart = clock.after(restartInMs, () => this.start())
    onEnded({ name, how, complaint: lastComplaint(this.#output), restartInMs })
  }

  #keep(chunk: Buffer): void {
    this.#output = (this.#output + chunk.toString('utf8')).slice(-KEPT_OUTPUT)
    this.#log.write(chunk)
  }
}
