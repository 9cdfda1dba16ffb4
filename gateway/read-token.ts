import { readFileSync } from 'node:fs'

/** The bearer token of the file; undefined where there is none yet. */
export function readToken(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
