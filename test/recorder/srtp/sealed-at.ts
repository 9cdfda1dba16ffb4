import { createKeyContext } from '../../../recorder/srtp/key-context.ts'
import { newPlace } from '../../../recorder/srtp/packet-layout.ts'
import type { SrtpKeying } from '../../../recorder/srtp/srtp-plan.ts'
import { SRTP_SUITES } from '../../../recorder/srtp/srtp-suite.ts'
import { type RtpFields, rtp } from '../rtp.ts'

/** A packet with any rollover counter, as a sender in mid-call sends it. */
export function sealedAt(keys: SrtpKeying, index: number, fields: RtpFields = {}): Buffer {
  const [master] = keys.keys
  if (master === undefined) throw new Error('no key')
  const context = createKeyContext(SRTP_SUITES[keys.suite], master)
  const clear = rtp({ sequenceNumber: index % 0x10000, ...fields })
  const isGcm = context.suite.mode === 'gcm'
  const mkiBytes = context.mki.length
  const packet = Buffer.concat([clear, context.mki, Buffer.alloc(context.suite.tagBytes)])
  const tagAt = clear.length + (isGcm ? 0 : mkiBytes)
  context.rtp.seal(packet, {
    ...newPlace(),
    ssrc: clear.readUInt32BE(8),
    index,
    headBytes: 12,
    bodyEnd: clear.length,
    tagAt,
    tagBytes: context.suite.tagBytes,
  })
  if (isGcm) packet.set(context.mki, tagAt + context.suite.tagBytes)
  return packet
}
