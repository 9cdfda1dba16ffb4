import { createHash } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hasCode } from './has-code.ts'

/**
 * Makes a file that says who has something, where nobody has it. Of several that start at once one wins. Returns how to
 * let go of it.
 *
 * `content` names its process as no other is ever named. `refuse` throws where whoever the content that it is given
 * names still runs; where it returns, that one is gone, and its file is taken over. Between the two another may have
 * taken it over. So whoever would do so first has, in the same way, a second file that is named after the one gone:
 * with that in hand it looks again, and nobody else replaces what it then sees.
 */
export function takeExclusively(
  path: string,
  content: string,
  refuse: (content: string) => void,
): () => void {
  const own = `${path}.${process.pid}`
  const letGo = () => rmSync(path, { force: true })
  writeFileSync(own, content, { mode: 0o600 })
  try {
    for (;;) {
      if (linked(own, path)) return letGo
      const stale = readOrUndefined(path)
      if (stale === undefined) continue
      refuse(stale)
      const takeOver = `${path}.after-${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`
      const endTakeOver = takeExclusively(takeOver, content, refuse)
      try {
        if (readOrUndefined(path) !== stale) continue
        renameSync(own, path)
        return letGo
      } finally {
        endTakeOver()
      }
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** A link fails where the name exists. */
function linked(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
