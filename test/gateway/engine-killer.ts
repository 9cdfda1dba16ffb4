import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import WebSocket from 'ws'
import { until } from '../until.ts'

/** `throw`: an uncaught error. `exit`: `process.exit(1)`. `hang`: an endless loop, which the gateway ends in an engine after 15 s. */
export type EngineDeath = 'throw' | 'exit' | 'hang'

interface Worker {
  readonly sessionId: string
  readonly title: string
}

interface InspectorMessage {
  readonly id?: number
  readonly method?: string
  readonly params?: {
    readonly sessionId?: string
    readonly workerInfo?: { readonly title: string }
  }
}

const EXPRESSIONS: Record<EngineDeath, string> = {
  throw: `setImmediate(() => { throw new Error('a thread was killed by a test') })`,
  exit: 'setImmediate(() => process.exit(1))',
  hang: 'setImmediate(() => { for (;;); })',
}
const CLOSE_INSPECTOR = `setImmediate(() => process.getBuiltinModule('node:inspector').close())`
const TCP_LISTEN = '0A'

/**
 * Makes one thread of a running gateway die, as a fault in it would, and leaves the gateway alone. Resolves with the
 * thread's title when it is gone, or, where it hangs, has begun to.
 *
 * The gateway has no door for this: Node.js itself opens its inspector on SIGUSR1, on loopback, and it is closed again.
 * Start the gateway with `--inspect-port=0` (in NODE_OPTIONS, where it is a child of another process), since the usual
 * port is there only once on a machine.
 */
export async function killThread(
  gatewayPid: number,
  name: string,
  death: EngineDeath = 'throw',
): Promise<string> {
  const inspector = await Inspector.open(gatewayPid)
  try {
    const worker = await inspector.findWorker(name)
    await inspector.evaluateIn(worker, EXPRESSIONS[death])
    if (death !== 'hang') await inspector.detached(worker)
    return worker.title
  } finally {
    await inspector.close()
  }
}

/** As `killThread`, of an engine. */
export function killEngine(
  gatewayPid: number,
  { engineIndex = 0, death = 'throw' }: { engineIndex?: number; death?: EngineDeath } = {},
): Promise<string> {
  return killThread(gatewayPid, `engine-${engineIndex}`, death)
}

/** A session with the inspector of another Node.js process on this machine. */
class Inspector {
  readonly #socket: WebSocket
  readonly #heard: InspectorMessage[] = []
  #nextId = 1

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (message) => this.#heard.push(JSON.parse(String(message))))
  }

  static async open(pid: number): Promise<Inspector> {
    const before = listeningPorts(pid)
    process.kill(pid, 'SIGUSR1')
    // In vain where the process runs without --inspect-port=0 and another has the usual port.
    const port = await until(() => [...listeningPorts(pid)].find((open) => !before.has(open)))
    const response = await fetch(`http://127.0.0.1:${port}/json/list`)
    const [target] = (await response.json()) as readonly { webSocketDebuggerUrl: string }[]
    if (target === undefined) throw new Error(`nothing to inspect at port ${port}`)
    const socket = new WebSocket(target.webSocketDebuggerUrl)
    await once(socket, 'open')
    return new Inspector(socket)
  }

  async findWorker(name: string): Promise<Worker> {
    await this.#call('NodeWorker.enable', { waitForDebuggerOnStart: false })
    const workers = this.#heard.flatMap(({ method, params }) =>
      method === 'NodeWorker.attachedToWorker' && params?.sessionId && params.workerInfo
        ? [{ sessionId: params.sessionId, title: params.workerInfo.title }]
        : [],
    )
    const worker = workers.find(({ title }) => title.endsWith(` ${name}`))
    if (worker !== undefined) return worker
    throw new Error(`no thread ${name} among: ${workers.map(({ title }) => title).join(', ')}`)
  }

  /** Resolves when the thread has taken the expression. */
  async evaluateIn({ sessionId }: Worker, expression: string): Promise<void> {
    const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } })
    await this.#call('NodeWorker.sendMessageToWorker', { sessionId, message })
    await this.#hear('NodeWorker.receivedMessageFromWorker', sessionId)
  }

  /** Resolves when the thread has ended. */
  async detached({ sessionId }: Worker): Promise<void> {
    await this.#hear('NodeWorker.detachedFromWorker', sessionId)
  }

  /** Has the process close its inspector. */
  async close(): Promise<void> {
    await this.#call('Runtime.evaluate', { expression: CLOSE_INSPECTOR })
    if (this.#socket.readyState !== WebSocket.CLOSED) await once(this.#socket, 'close')
  }

  async #call(method: string, params: Readonly<Record<string, unknown>>): Promise<void> {
    const id = this.#nextId++
    this.#socket.send(JSON.stringify({ id, method, params }))
    await until(() => this.#heard.find((message) => message.id === id))
  }

  async #hear(method: string, sessionId: string): Promise<void> {
    await until(() =>
      this.#heard.find((it) => it.method === method && it.params?.sessionId === sessionId),
    )
  }
}

/** TCP ports over IPv4 that a process listens on (proc(5), `/proc/PID/net/tcp`). */
function listeningPorts(pid: number): ReadonlySet<number> {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        // Closed while the list was read.
        return []
      }
    }),
  )
  const ports = new Set<number>()
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    if (local === undefined || state !== TCP_LISTEN || !inodes.has(inode ?? '')) continue
    ports.add(Number.parseInt(local.split(':')[1] ?? '', 16))
  }
  return ports
}
