import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * For the entry of a thread, which dies while it writes. `MORTAL_WRITES` names a file with a fate a line, of which each
 * thread takes the first:
 *
 * - `write N`: it ends within the Nth piece that it writes, of which half is on the disk;
 * - `memory N`: when it has written N pieces it takes more memory than it may;
 * - `throw N`: then nobody has thought of an error;
 * - `full N`: it ends a moment after the disk has not taken something for the Nth time.
 */
const path = process.env['MORTAL_WRITES'] ?? ''
const [fate = '', ...others] = fs.readFileSync(path, 'utf8').split('\n')
fs.writeFileSync(path, others.join('\n'))
const [way, count] = fate.split(' ')
let left = Number(count)
const write = fs.writeSync

function die(): void {
  switch (way) {
    case 'memory': {
      const hoard: number[][] = []
      for (;;) hoard.push(new Array(100_000).fill(hoard.length))
    }
    case 'throw':
      setImmediate(() => {
        throw new Error('nobody has thought of this')
      })
      return
    case 'full':
      setTimeout(() => process.exit(1), 300)
  }
}

function writeMortally(
  fd: number,
  bytes: Uint8Array,
  from = 0,
  length = bytes.length - from,
  position: number | null = null,
): number {
  const isLast = way !== 'full' && --left === 0
  if (isLast && way === 'write') {
    write(fd, bytes, from, Math.floor(length / 2), position)
    process.exit(1)
  }
  try {
    return write(fd, bytes, from, length, position)
  } catch (error) {
    if (way === 'full' && --left === 0) die()
    throw error
  } finally {
    if (isLast) die()
  }
}

fs.writeSync = ((...args: Parameters<typeof writeMortally>) =>
  args[1] instanceof Uint8Array ? writeMortally(...args) : write(...args)) as typeof fs.writeSync
syncBuiltinESMExports()
