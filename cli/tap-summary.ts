export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** A deep test's own lines are indented by four for each level. */
const INDENT = 4

/**
 * Counts the tests of a TAP stream (TAP 14) as it comes, and keeps what explains failures.
 *
 * A test is what a file calls one: the first level below the file's own line. Assertions within are not counted.
 */
export class TapSummary {
  #passed = 0
  #failed = 0
  #skipped = 0
  #hasFailedInFile = false
  #isInDetail = false

  get counts(): TestCounts {
    return { passed: this.#passed, failed: this.#failed, skipped: this.#skipped }
  }

  /** Takes one line and answers what of it is worth showing. */
  read(line: string): string[] {
    const point = /^( *)(not ok|ok) \d+(?: - (.*))?$/.exec(line)
    if (!point) return this.#readOther(line)
    const [, indent = '', result, rest = ''] = point
    const level = indent.length / INDENT
    const isFailed = result === 'not ok'
    const isSkipped = / # (SKIP|TODO)/i.test(rest)
    this.#isInDetail = isFailed && !isSkipped
    if (level === 1) this.#count(isFailed, isSkipped)
    if (level === 0) {
      // A file that fails although none of its tests did has crashed, or was too slow.
      if (isFailed && !this.#hasFailedInFile) this.#failed++
      this.#hasFailedInFile = false
      return [describeFile(rest, isFailed)]
    }
    return isFailed && !isSkipped ? [line] : []
  }

  #count(isFailed: boolean, isSkipped: boolean): void {
    if (isSkipped) this.#skipped++
    else if (isFailed) {
      this.#failed++
      this.#hasFailedInFile = true
    } else this.#passed++
  }

  #readOther(line: string): string[] {
    if (/^ *# Subtest/.test(line)) this.#isInDetail = false
    if (/^Bail out!/.test(line)) return [line]
    return this.#isInDetail && line.trim() !== '' ? [line] : []
  }
}

/** Files by their sources: what runs is compiled, what is read is not. */
function describeFile(rest: string, isFailed: boolean): string {
  const [name = '', time = ''] = rest.split(' # time=')
  const source = name.replace(/^build\//, '').replace(/\.js$/, '.ts')
  const seconds = (Number.parseFloat(time) / 1000).toFixed(1)
  return `${isFailed ? 'FAILED' : 'passed'}  ${source}  ${seconds} s`
}
