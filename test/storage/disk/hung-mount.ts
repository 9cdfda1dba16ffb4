import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/**
 * Mounts a file system in user space and answers for it never, until its input ends, be it that the test was killed: then
 * takes it away (mount(2) and umount2(2) with MNT_DETACH are calls 165 and 166 on this kind of machine).
 */
const MOUNT = `
  use Fcntl;
  sysopen(my $fuse, "/dev/fuse", O_RDWR) or die "$!";
  my $options = "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0";
  my ($source, $type) = ("hung", "fuse");
  syscall(165, $source, $ARGV[0], $type, 0, $options) == 0 or die "$!";
  $| = 1;
  print "mounted";
  <STDIN>;
  syscall(166, $ARGV[0], 2);
`

/** A folder in the place of which is, for a time, a file system that answers nothing, not even where it is read. */
export class HungMount {
  readonly #server: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(server: ChildProcess) {
    this.#server = server
    this.#ended = once(server, 'close')
  }

  /** Why there can be none here; undefined where there can. */
  static async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'only root can mount a file system'
    if (process.arch !== 'x64') return 'the test knows the system calls of x86-64 alone'
    const folder = mkdtempSync(join(tmpdir(), 'tallenne-hung-mount-'))
    try {
      await (await HungMount.#mount(folder)).end()
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
    const server = spawn('perl', ['-e', MOUNT, path], { stdio: ['pipe', 'pipe', 'ignore'] })
    const isMounted = await Promise.race([
      once(server.stdout, 'data').then(() => true),
      once(server, 'close').then(() => false),
    ])
    if (!isMounted) throw new Error(`nothing could be mounted over ${path}`)
    return new HungMount(server)
  }

  /** What waits for an answer gets an error, and the folder is what it was. Idempotent. */
  async end(): Promise<void> {
    this.#server.stdin?.end()
    await this.#ended
  }
}
