import './mortal-writes.ts'

/** The gateway's entry of the journal's thread, which dies while it writes. */
await import('../../gateway/journal-worker.ts')
