import '../mortal-writes.ts'

/** The entry of a disk's thread, which dies while it writes. */
await import('../../../storage/disk/disk-worker.ts')
