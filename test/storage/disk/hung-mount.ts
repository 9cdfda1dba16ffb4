import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** Mounts a file system in user space and never answers for it (mount(2) is call 165 on this kind of machine). */
const MOUNT = `
  use Fcntl;
  sysopen(my $fuse, "/dev/fuse", O_RDWR) or die "$!";
  my $options = "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0";
  my ($source, $type) = ("hung", "fuse");
  syscall(165, $source, $ARGV[0], $type, 0, $options) == 0 or die "$!";
  $| = 1;
  print "mounted";
  sleep 3600;
`

/** A folder in the place of which is, for a time, a file system that answers nothing, not even where it is read. */
export class HungMount {
  readonly #path: string
  readonly #server: ChildProcess
  #isOver = false

  private constructor(path: string, server: ChildProcess) {
    this.#path = path
    this.#server = server
  }

  /** Why there can be none here; undefined where there can. */
  static async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'only root can mount a file system'
    if (process.arch !== 'x64') return 'the test knows the system calls of x86-64 alone'
    const folder = mkdtempSync(join(tmpdir(), 'tallenne-hung-mount-'))
    try {
      ;(await HungMount.#mount(folder)).end()
      return undefined
    } catch (error) {
      return `no file system can be mounted here (/dev/fuse, perl): ${String(error)}`
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  /** Covers a folder, until `end` or the end of the test. */
  static async over(t: Pick<Test, 'teardown'>, path: string): Promise<HungMount> {
    const mount = await HungMount.#mount(path)
    t.teardown(() => mount.end())
    return mount
  }

  static async #mount(path: string): Promise<HungMount> {
    const server = spawn('perl', ['-e', MOUNT, path], { stdio: ['ignore', 'pipe', 'ignore'] })
    const isMounted = await Promise.race([
      once(server.stdout, 'data').then(() => true),
      once(server, 'close').then(() => false),
    ])
    if (!isMounted) throw new Error(`nothing could be mounted over ${path}`)
    return new HungMount(path, server)
  }

  /** What waits for an answer gets an error, and the folder is what it was. Idempotent. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    execFileSync('umount', ['-l', this.#path])
    this.#server.kill('SIGKILL')
  }
}
