import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { hasCode } from './has-code.ts'

/**
 * Makes a folder and those above it that are missing. Throws the system's error, and where the path is a file.
 *
 * Node's own recursive mkdir tries for ever where the kernel answers ENOENT although the parent is there, as it does
 * under /proc.
 */
export function makeFolder(path: string, mode: number): void {
  const missing: string[] = []
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) {
    missing.push(folder)
  }
  for (const folder of missing.reverse()) makeOne(folder, mode)
  if (!statSync(path).isDirectory()) throw new Error('it is no folder')
}

function makeOne(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    const isThere = hasCode(error, 'EEXIST')
    if (!isThere) throw error
  }
}
