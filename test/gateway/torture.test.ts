import t from 'tap'
import { startSignallingNode } from './signalling-node.ts'
import { sipRequest } from './sip-server/sip-text.ts'
import { TORTURE } from './sip-server/torture-messages.ts'
import { UdpPeer } from './sip-server/udp-peer.ts'

const FINAL = /^SIP\/\d\.\d [2-6]/

t.test('messages of RFC 4475 are answered as it says', async (t) => {
  const { udp } = await startSignallingNode(t, { unmarked: 'record' })
  for (const { section, title, text, expected } of TORTURE) {
    const peer = await UdpPeer.open()
    peer.send(text, udp.port)
    if (expected === 'drop') {
      // Whatever came back to the message would come before the answer to this.
      const probe = `probe-${section}`
      peer.send(
        sipRequest({ method: 'OPTIONS', branch: `z9hG4bK${probe}`, callId: probe }),
        udp.port,
      )
      t.match(await peer.nextThat(FINAL), `Call-ID: ${probe}\r\n`, `${section} ${title}`)
    } else {
      const [line = ''] = (await peer.nextThat(FINAL)).split('\r\n', 1)
      t.equal(Number(line.split(' ')[1]), expected, `${section} ${title}: ${line}`)
    }
    await peer.close()
  }
})
