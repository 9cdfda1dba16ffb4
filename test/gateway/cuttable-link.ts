import { createConnection, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A TCP way to a server that a test can cut; both ends stay as they are. */
export async function cuttableLink<
  Address extends { readonly host: string; readonly port: number },
>(
  t: Pick<Test, 'teardown'>,
  server: Address,
): Promise<{ readonly address: Address; readonly cut: () => void }> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }
  const listener = createServer({ noDelay: true }, (near) => {
    const far = createConnection({ host: server.host, port: server.port, noDelay: true })
    for (const socket of [near, far]) keep(socket)
    near.pipe(far)
    far.pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    cut()
    listener.close()
  })
  const bound = listener.address()
  if (bound === null || typeof bound === 'string') throw new Error('no port')
  return { address: { ...server, host: '127.0.0.1', port: bound.port }, cut }
}
