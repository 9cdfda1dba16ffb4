import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasCode } from '../../base/has-code.ts'

const PIECE_BYTES = 4096

/** Why no disk of its own can be made here; undefined where it can. */
export function diskObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can mount a disk of its own'
  try {
    new SmallDisk(1).remove()
    return undefined
  } catch (error) {
    return `no disk of its own can be mounted: ${String(error)}`
  }
}

/** A disk in memory that can be filled. */
export class SmallDisk {
  readonly path = mkdtempSync(join(tmpdir(), 'tallenne-disk-'))

  constructor(mebibytes: number) {
    try {
      const options = `size=${mebibytes}m,mode=700`
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tallenne-drill', this.path], {
        stdio: 'pipe',
      })
    } catch (error) {
      rmSync(this.path, { recursive: true, force: true })
      throw error
    }
  }

  /** Leaves no byte free. */
  fill(): void {
    const filler = openSync(join(this.path, 'filler'), 'w')
    const piece = Buffer.alloc(PIECE_BYTES)
    try {
      for (;;) writeSync(filler, piece)
    } catch (error) {
      if (!hasCode(error, 'ENOSPC')) throw error
    } finally {
      closeSync(filler)
    }
  }

  empty(): void {
    rmSync(join(this.path, 'filler'), { force: true })
  }

  remove(): void {
    execFileSync('umount', [this.path])
    rmSync(this.path, { recursive: true, force: true })
  }
}
