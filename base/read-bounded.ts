import { closeSync, openSync, readSync } from 'node:fs'

/** The first `mostBytes` of a file, however long it is: a path may lead to a device that never ends. */
export function readBounded(path: string, mostBytes: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(mostBytes)
    let length = 0
    while (length < mostBytes) {
      const count = readSync(file, bytes, length, mostBytes - length, null)
      if (count === 0) break
      length += count
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(file)
  }
}
