import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * The gateway's entry of the journal's thread, which dies while it writes. `MORTAL_JOURNAL` names a file with a fate a
 * line, of which each thread takes the first:
 *
 * - `write N`: it ends within the Nth line that it writes, of which half is on the disk;
 * - `memory N`: when it has written N lines it takes more memory than it may;
 * - `throw N`: then nobody has thought of an error;
 * - `full N`: it ends a moment after the disk has not taken something for the Nth time.
 */
const path = process.env['MORTAL_JOURNAL'] ?? ''
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

function writeMortally(fd: number, lines: Buffer, ...at: [number, number, number]): number {
  const [from, length, position] = at
  const isLast = way !== 'full' && --left === 0
  if (isLast && way === 'write') {
    write(fd, lines, from, Math.floor(length / 2), position)
    process.exit(1)
  }
  try {
    return write(fd, lines, ...at)
  } catch (error) {
    if (way === 'full' && --left === 0) die()
    throw error
  } finally {
    if (isLast) die()
  }
}

fs.writeSync = ((...args: Parameters<typeof writeMortally>) =>
  Buffer.isBuffer(args[1]) ? writeMortally(...args) : write(...args)) as typeof fs.writeSync
syncBuiltinESMExports()
await import('../../gateway/journal-worker.ts')
