import { type MessagePort, parentPort } from 'node:worker_threads'
import { serveDisk } from './serve-disk.ts'

/** Entry of a disk's thread: serves each client that it is sent. */
parentPort?.on('message', (port: MessagePort) => serveDisk(port))
