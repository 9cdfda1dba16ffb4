const CONFIGURATION = /^TALLENNE_/

/** An environment without what configures Tallenne, secrets among it: what other programs are started with. */
export function withoutConfiguration(
  env: Readonly<NodeJS.ProcessEnv>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !CONFIGURATION.test(name)))
}

/**
 * Keeps what a process has to itself, once its configuration is read: files that it makes are closed to others than
 * its user and group, and programs that it starts, as ffmpeg, inherit no secret. Tells whether it runs as root, which
 * nothing here needs.
 */
export function confineProcess(): { readonly isRoot: boolean } {
  process.umask(0o027)
  for (const name of Object.keys(process.env)) {
    if (CONFIGURATION.test(name)) delete process.env[name]
  }
  return { isRoot: process.getuid?.() === 0 }
}

export const ROOT_WARNING =
  'runs as root, which it does not need: let it run as a user of its own, as the units in deploy/systemd do'
