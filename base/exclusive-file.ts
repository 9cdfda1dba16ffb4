import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hasCode } from './has-code.ts'

/**
 * Makes a file that says who has something, where nobody has it. Of several that start at once one wins. Returns how to
 * let go of it.
 *
 * `refuse` throws where whoever the file names still has it; where it returns, that one is gone and its file is taken
 * away.
 */
export function takeExclusively(path: string, content: string, refuse: () => void): () => void {
  const own = `${path}.${process.pid}`
  writeFileSync(own, content, { mode: 0o600 })
  try {
    for (;;) {
      // A link fails where the name exists.
      try {
        linkSync(own, path)
        return () => rmSync(path, { force: true })
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error
      }
      refuse()
      const stale = `${path}.stale.${process.pid}`
      try {
        renameSync(path, stale)
        rmSync(stale, { force: true })
      } catch {
        // Another one that starts has taken the stale file away.
      }
    }
  } finally {
    rmSync(own, { force: true })
  }
}
