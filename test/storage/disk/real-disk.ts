import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const run = promisify(execFile)

/** Asks a file system to shut down at once, as after an error of its disk (EXT4_IOC_SHUTDOWN). */
const SHUT_DOWN =
  'open(F, "<", $ARGV[0]) or die $!; $how = pack("L", $ARGV[1]); ioctl(F, 0x8004587d, $how) or die $!'
/** How: with what was written before on the disk, or without the newest of it. */
const FLUSHED = '0'
const UNFLUSHED = '2'
const MOUNTED = 'loop,errors=remount-ro'

/** A disk of its own that can be broken: an ext4 file system in a file, mounted over a loop device. */
export class RealDisk {
  readonly path: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'tallenne-real-disk-'))
  readonly #image = join(this.#folder, 'image')

  private constructor() {
    this.path = join(this.#folder, 'mounted')
  }

  /** Why there can be none here; undefined where there can. */
  static get obstacle(): string | undefined {
    if (process.getuid?.() !== 0) return 'only root can mount a disk'
    try {
      RealDisk.make(8).remove()
      return undefined
    } catch (error) {
      return `no disk can be mounted here (loop devices, mkfs.ext4): ${String(error).split('\n')[0]}`
    }
  }

  static open(t: Pick<Test, 'teardown'>, mebibytes = 64): RealDisk {
    const disk = RealDisk.make(mebibytes)
    t.teardown(() => disk.remove())
    return disk
  }

  /** One that its maker removes. Throws where `obstacle` says why. */
  static make(mebibytes: number): RealDisk {
    const disk = new RealDisk()
    const image = disk.#image
    try {
      execFileSync('truncate', ['-s', `${mebibytes}M`, image], { stdio: 'pipe' })
      execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image], { stdio: 'pipe' })
      execFileSync('mkdir', [disk.path])
      execFileSync('mount', ['-o', MOUNTED, image, disk.path], { stdio: 'pipe' })
      return disk
    } catch (error) {
      rmSync(disk.#folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Nothing that is written is answered any more, until it is thawed. */
  async freeze(): Promise<() => Promise<void>> {
    await run('fsfreeze', ['-f', this.path])
    return async () => void (await run('fsfreeze', ['-u', this.path]))
  }

  /** Every write is an error from now on (EIO), and the newest before it may be lost. */
  async breakDown(): Promise<void> {
    await run('perl', ['-e', SHUT_DOWN, this.path, UNFLUSHED])
  }

  /** Every write is an error until it is mended, which keeps all that was written before. */
  async fail(): Promise<() => Promise<void>> {
    await run('perl', ['-e', SHUT_DOWN, this.path, FLUSHED])
    return async () => {
      await run('umount', ['-l', this.path])
      await run('mount', ['-o', MOUNTED, this.#image, this.path])
    }
  }

  /** The kernel finds an error and makes it read-only (EROFS). */
  async turnReadOnly(): Promise<void> {
    const { stdout } = await run('findmnt', ['-no', 'SOURCE', this.path])
    const device = basename(stdout.trim())
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'test')
  }

  /** Leaves no block free, or so many bytes. */
  async fill(freeBytes = 0): Promise<() => void> {
    const filler = join(this.path, 'filler')
    const { bavail, bsize } = await statfs(this.path)
    if (freeBytes > 0) await run('fallocate', ['-l', `${bavail * bsize - freeBytes}`, filler])
    else await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']).catch(() => undefined)
    return () => rmSync(filler)
  }

  remove(): void {
    try {
      execFileSync('fsfreeze', ['-u', this.path], { stdio: 'ignore' })
    } catch {
      // It was not frozen.
    }
    execFileSync('umount', ['-l', this.path])
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
