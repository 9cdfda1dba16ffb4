import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { findListeningProcess } from '../../bench/listening-process.ts'

t.test(
  'a process is found by the port that it listens at, and not after it has closed',
  async (t) => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    t.equal(findListeningProcess(port), process.pid)
    server.close()
    await once(server, 'close')
    t.equal(findListeningProcess(port), undefined)
  },
)
