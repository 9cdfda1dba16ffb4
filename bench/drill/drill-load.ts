import { createInterface } from 'node:readline'
import { startGenerator } from '../run-generator.ts'

/** A call of a drill, as its sender tells of it. */
export interface DrillCall {
  readonly callId: string
  /** Its parties' tone codes are those of twice this number, and of the one after. */
  readonly index: number
  readonly setupMs: number
  /** When the first packet of each party went out, epoch milliseconds. */
  readonly startedAtMs: number
  /** Sent by each party. */
  readonly packets: number
}

export interface DrillLoad {
  readonly calls: readonly DrillCall[]
  /** Why calls were not taken. */
  readonly refusals: readonly string[]
}

/** Calls in a process of their own, which go on until they are to end. */
export class RunningLoad {
  readonly #child: ReturnType<typeof startGenerator>
  readonly #lines: AsyncIterator<string>

  private constructor(child: ReturnType<typeof startGenerator>) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** Resolves when all calls were answered or refused. */
  static async start(options: {
    readonly to: string
    readonly calls: number
    /** New calls a second. */
    readonly rate?: number
    readonly first?: number
  }): Promise<RunningLoad> {
    const load = new RunningLoad(startGenerator('drill/load', options))
    const { value } = await load.#lines.next()
    if (value !== 'up') throw new Error(`the load did not start: ${value}`)
    return load
  }

  /** Hangs up, and tells what was sent. */
  async end(): Promise<DrillLoad> {
    this.#child.stdin.end()
    const { value } = await this.#lines.next()
    if (value === undefined) throw new Error('the load ended without a result')
    return JSON.parse(value) as DrillLoad
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
