export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** A deep test's own lines are indented by four for each level. */
const INDENT = 4

/**
 * Counts the tests of one file's TAP stream (TAP 14) as it comes, and keeps what explains failures.
 *
 * A test is what the file calls one: the stream's first level. Assertions within are not counted.
 */
export class TapSummary {
  #passed = 0
  #failed = 0
  #skipped = 0
  #planned: number | undefined
  #isInDetail = false

  get counts(): TestCounts {
    return { passed: this.#passed, failed: this.#failed, skipped: this.#skipped }
  }

  /** Whether as many tests ended as the file said that it has. */
  get isWhole(): boolean {
    return this.#planned === this.#passed + this.#failed + this.#skipped
  }

  /** Takes one line and answers what of it is worth showing. */
  read(line: string): string[] {
    const point = /^( *)(not ok|ok) \d+(?: - (.*))?$/.exec(line)
    if (!point) return this.#readOther(line)
    const [, indent = '', result, rest = ''] = point
    const isFailed = result === 'not ok'
    const isSkipped = / # (SKIP|TODO)/i.test(rest)
    this.#isInDetail = isFailed && !isSkipped
    if (indent.length < INDENT) this.#count(isFailed, isSkipped)
    return this.#isInDetail ? [line] : []
  }

  #count(isFailed: boolean, isSkipped: boolean): void {
    if (isSkipped) this.#skipped++
    else if (isFailed) this.#failed++
    else this.#passed++
  }

  #readOther(line: string): string[] {
    if (/^ *# Subtest/.test(line)) this.#isInDetail = false
    const plan = /^1\.\.(\d+)/.exec(line)
    if (plan) {
      this.#planned = Number(plan[1])
      this.#isInDetail = false
    }
    if (/^Bail out!/.test(line)) return [line]
    return this.#isInDetail && line.trim() !== '' ? [line] : []
  }
}
