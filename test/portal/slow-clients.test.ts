import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { startTestPortal, TOKEN } from './portal.ts'

const SLOW_CLIENTS = 40
const portal = await startTestPortal()
t.teardown(() => portal.close())
// More than the buffers of a connection hold.
const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index)).toString('latin1')
const audio = Buffer.from(bytes.repeat(64 * 1024), 'latin1')
const { recordingId } = await portal.addRecording(audio)
const path = `/api/recordings/${recordingId}/audio`

/** Connects as many clients, each of which says so much and then only a byte now and then. */
async function connectSlow(sent: string, more: string): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: SLOW_CLIENTS }, () => connect(portal.port, '127.0.0.1'))
  for (const socket of sockets) socket.on('error', () => {})
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  for (const socket of sockets) socket.write(sent)
  const timer = setInterval(() => {
    for (const socket of sockets) if (more !== '') socket.write(more)
  }, 20)
  t.teardown(() => {
    clearInterval(timer)
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

async function listen() {
  const response = await portal.ask(path)
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
}

t.test('a listener has the recording whole while others send and read slowly', async (t) => {
  const head = `Host: a\r\nAuthorization: Bearer ${TOKEN}\r\n`
  await connectSlow(`GET ${path} HTTP/1.1\r\n${head}`, 'X')
  await connectSlow(
    `POST /api/completeness/calls?list=main HTTP/1.1\r\n${head}Content-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n`,
    ';',
  )
  const readers = await connectSlow(`GET ${path} HTTP/1.1\r\n${head}Range: bytes=1-\r\n\r\n`, '')
  // Each has got the beginning of its answer, and takes no more of it.
  await Promise.all(readers.map((socket) => once(socket, 'readable')))
  for (let count = 0; count < 3; count++) {
    const { status, body } = await listen()
    t.equal(status, 200)
    t.ok(body.equals(audio))
  }
  t.notOk(readers.some(({ destroyed }) => destroyed))
})
