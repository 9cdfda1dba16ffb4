import { resolve } from 'node:path'
import { readBounded } from '../base/read-bounded.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { ConfigPath } from './mistake.ts'

const FILE_KEYS = { passwordFile: 'password', secretFile: 'secret' } as const

/** What the first line of a secret's file may hold, so that a wrong path does not read a disk. */
const MAX_SECRET_BYTES = 4096

/**
 * Replaces each `passwordFile` and `secretFile` by a `password` or `secret` with the first line of that file,
 * in place. Relative paths are from `folder`. Answers what cannot be read.
 */
export function replaceSecretFiles(
  content: unknown,
  folder: string,
): { readonly path: ConfigPath; readonly reason: string }[] {
  const wrong: { path: ConfigPath; reason: string }[] = []
  const visit = (value: unknown, path: ConfigPath) => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, below] of Object.entries(value)) {
      visit(below, [...path, Array.isArray(value) ? Number(key) : key])
    }
    if (Array.isArray(value)) return
    for (const [fileKey, key] of Object.entries(FILE_KEYS)) {
      if (!Object.hasOwn(value, fileKey)) continue
      const outcome = readSecret(Reflect.get(value, fileKey), folder)
      Reflect.deleteProperty(value, fileKey)
      if (outcome.kind === 'wrong') {
        wrong.push({ path: [...path, fileKey], reason: outcome.reason })
        continue
      }
      if (Object.hasOwn(value, key)) {
        wrong.push({ path: [...path, fileKey], reason: `either ${key} or ${fileKey}, not both` })
        continue
      }
      Reflect.set(value, key, outcome.secret)
    }
  }
  visit(content, [])
  return wrong
}

function readSecret(file: unknown, folder: string) {
  if (typeof file !== 'string') return { kind: 'wrong', reason: 'the path of a file' } as const
  try {
    const bytes = readBounded(resolve(folder, file), MAX_SECRET_BYTES + 1)
    const end = bytes.indexOf('\n')
    const line = end < 0 ? bytes : bytes.subarray(0, end)
    const secret = line.toString('utf8').replace(/\r$/, '')
    if (secret === '' || line.length > MAX_SECRET_BYTES) {
      const reason = `a file with the secret in its first line, of at most ${MAX_SECRET_BYTES} bytes`
      return { kind: 'wrong', reason } as const
    }
    return { kind: 'read', secret } as const
  } catch (error) {
    return { kind: 'wrong', reason: `a file that can be read (${messageOf(error)})` } as const
  }
}
