import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { KernelDrops } from '../../recorder/kernel-drops.ts'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n'

function line(port: number, inode: number, drops: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return ` 1156: 0100007F:${hex} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2 00000000c1c5058c ${drops}\n`
}

/** The kernel's files, as they are changed. */
function kernel() {
  const files: Record<string, string> = { '/proc/self/net/udp': HEAD, '/proc/self/net/udp6': HEAD }
  const reads: string[] = []
  const setErrors = (ipv4: number, ipv6 = 0) => {
    files['/proc/self/net/snmp'] =
      `Udp: InDatagrams NoPorts InErrors OutDatagrams\nUdp: 900 1 ${ipv4} 800\n`
    files['/proc/self/net/snmp6'] = `Udp6InErrors                    \t${ipv6}\n`
  }
  setErrors(0)
  const read = (path: string) => {
    reads.push(path)
    const text = files[path]
    if (text === undefined) throw new Error(`there is no ${path}`)
    return text
  }
  return { files, reads, read, setErrors }
}

t.test('drops are told once, by port, and the table is read only when there are any', async (t) => {
  const { files, reads, read, setErrors } = kernel()
  const drops = new KernelDrops({ portFrom: 20_000, portTo: 20_099, read })
  reads.length = 0
  t.equal(drops.look().size, 0)
  t.notOk(reads.includes('/proc/self/net/udp'))
  files['/proc/self/net/udp'] = HEAD + line(20_000, 7, 12) + line(20_002, 8, 0) + line(5060, 9, 99)
  files['/proc/self/net/udp6'] = HEAD + line(20_004, 10, 3)
  setErrors(111, 3)
  t.strictSame(
    [...drops.look()],
    [
      [20_000, 12],
      [20_004, 3],
    ],
  )
  t.equal(drops.look().size, 0)
  files['/proc/self/net/udp'] = HEAD + line(20_000, 7, 15)
  setErrors(114, 3)
  t.strictSame([...drops.look()], [[20_000, 3]])
})

t.test(
  'a socket that takes another’s port begins anew, and one that was there before is not told of',
  async (t) => {
    const { files, read, setErrors } = kernel()
    files['/proc/self/net/udp'] = HEAD + line(20_000, 7, 50)
    const drops = new KernelDrops({ portFrom: 20_000, portTo: 20_099, read })
    files['/proc/self/net/udp'] = HEAD + line(20_000, 8, 4)
    setErrors(54)
    t.strictSame([...drops.look()], [[20_000, 4]])
  },
)

t.test('a kernel that tells nothing, or nonsense, costs nothing', async (t) => {
  const silent = new KernelDrops({
    portFrom: 1,
    portTo: 65_535,
    read: () => {
      throw new Error('ENOENT')
    },
  })
  t.equal(silent.look().size, 0)
  let counter = 0
  const mad = new KernelDrops({
    portFrom: 1,
    portTo: 65_535,
    read: () => `Udp: 1 2 ${counter++} 4\n\u0000 : : :\nx\n`,
  })
  t.equal(mad.look().size, 0)
})

async function bound(t: Test, type: 'udp4' | 'udp6', address: string): Promise<Socket> {
  const socket = createSocket({ type, recvBufferSize: 2048 })
  t.teardown(() => socket.close())
  socket.bind(0, address)
  await once(socket, 'listening')
  return socket
}

for (const [type, address] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const) {
  t.test(`what the kernel drops of ${type} is seen`, async (t) => {
    const socket = await bound(t, type, address)
    const { port } = socket.address()
    const drops = new KernelDrops({ portFrom: port, portTo: port })
    const sender = await bound(t, type, address)
    let came = 0
    socket.on('message', () => came++)
    // Sent in one turn of this thread, in which it reads nothing.
    const sent = 200
    await Promise.all(
      Array.from(
        { length: sent },
        () =>
          new Promise<void>((resolve) =>
            sender.send(Buffer.alloc(172), port, address, () => resolve()),
          ),
      ),
    )
    let dropped = 0
    while (came + dropped < sent) {
      dropped += drops.look().get(port) ?? 0
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    t.ok(dropped > 0)
    t.equal(came + dropped, sent, 'each packet is here or told of')
  })
}
