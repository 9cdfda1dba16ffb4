import fc from 'fast-check'
import t from 'tap'
import { writeReceiverReport } from '../../../recorder/rtcp-writer.ts'
import { createKeyContext } from '../../../recorder/srtp/key-context.ts'
import { newPlace } from '../../../recorder/srtp/packet-layout.ts'
import { PacketOpener } from '../../../recorder/srtp/packet-opener.ts'
import { PacketSealer } from '../../../recorder/srtp/packet-sealer.ts'
import { ReceivedSources } from '../../../recorder/srtp/received-sources.ts'
import type { SrtpKeying } from '../../../recorder/srtp/srtp-plan.ts'
import { SRTP_SUITES } from '../../../recorder/srtp/srtp-suite.ts'
import { type RtpFields, rtp } from '../rtp.ts'
import { keying, SUITE_NAMES } from './keying.ts'
import { sealedAt } from './sealed-at.ts'

const SUITE = 'AES_CM_128_HMAC_SHA1_80'

function openerOf(keys: SrtpKeying): PacketOpener {
  const opener = new PacketOpener()
  opener.agree(keys)
  return opener
}

function sealed(sealer: PacketSealer, fields: RtpFields = {}): Buffer {
  const packet = sealer.sealRtp(rtp(fields))
  if (packet === undefined) throw new Error('the packet was not sealed')
  return Buffer.from(packet)
}

/** The same keys, of which each may protect so many packets. */
function withLifetime(keys: SrtpKeying, lifetime: number): SrtpKeying {
  return { ...keys, keys: keys.keys.map((key) => ({ ...key, lifetime })) }
}

for (const suite of SUITE_NAMES) {
  t.test(`${suite}: what is sealed opens, with every part of a header`, async (t) => {
    const sealer = new PacketSealer(keying(suite))
    const opener = openerOf(keying(suite))
    for (const fields of [
      {},
      { csrcs: [1, 2], extension: [3], padding: 4 },
      { payload: Buffer.alloc(0) },
    ]) {
      const clear = rtp({ ...fields, sequenceNumber: Object.keys(fields).length })
      const packet = sealer.sealRtp(clear)
      t.equal(packet?.length, clear.length + SRTP_SUITES[suite].tagBytes)
      t.same(packet && opener.openRtp(packet, 0), clear)
    }
  })

  t.test(`${suite}: a changed byte anywhere, a cut and a replay stay closed`, async (t) => {
    const whole = sealed(new PacketSealer(keying(suite)), { payload: Buffer.alloc(20, 3) })
    const opener = openerOf(keying(suite))
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 0x04
      t.type(opener.openRtp(changed, 0), 'string', `byte ${at} changed`)
      t.type(opener.openRtp(Buffer.from(whole.subarray(0, at)), 0), 'string', `cut at ${at}`)
    }
    t.type(opener.openRtp(Buffer.from(whole), 0), Uint8Array)
    t.equal(opener.openRtp(Buffer.from(whole), 0), 'replayed')
  })

  t.test(`${suite}: RTCP opens once, encrypted or not`, async (t) => {
    const report = writeReceiverReport(99, undefined, 'name')
    for (const hasPlainRtcp of [false, true]) {
      const sealer = new PacketSealer({ ...keying(suite), hasPlainRtcp })
      const opener = openerOf(keying(suite))
      const first = Buffer.from(sealer.sealRtcp(report) ?? [])
      t.equal(first.includes(report), hasPlainRtcp)
      const changed = Buffer.from(first)
      changed[9] = (changed[9] ?? 0) ^ 1
      t.equal(opener.openRtcp(changed), 'unauthenticated')
      t.same(opener.openRtcp(Buffer.from(first)), report)
      t.equal(opener.openRtcp(Buffer.from(first)), 'replayed')
      const second = sealer.sealRtcp(report)
      t.same(second && opener.openRtcp(second), report)
    }
  })

  t.test(`${suite}: any bytes are told to be something, without an exception`, async (t) => {
    const opener = openerOf(keying(suite))
    const refusals = ['unauthenticated', 'replayed', 'malformed']
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const packet = Buffer.from(bytes)
        packet[0] = 0x80 | ((packet[0] ?? 0) & 0x3f)
        return (
          refusals.includes(String(opener.openRtp(packet, 0))) &&
          refusals.includes(String(opener.openRtcp(packet)))
        )
      }),
    )
    t.pass()
  })

  t.test(`${suite}: the key that a packet names opens it`, async (t) => {
    const [first, second] = [keying(suite, 1, '0001'), keying(suite, 2, '0002')]
    const opener = openerOf({ ...first, keys: [...first.keys, ...second.keys] })
    t.type(opener.openRtp(sealedAt(second, 10), 0), Uint8Array)
    t.type(opener.openRtp(sealedAt(first, 11), 0), Uint8Array)
    t.type(opener.openRtp(sealedAt(keying(suite, 1, '0003'), 12), 0), 'string')
  })
}

t.test('the sequence number may wrap, and packets around the wrap come in any order', async (t) => {
  const sealer = new PacketSealer(keying(SUITE))
  const opener = openerOf(keying(SUITE))
  const packets = [65_533, 65_534, 65_535, 65_536, 65_537, 65_538].map((sequenceNumber) =>
    sealed(sealer, { sequenceNumber }),
  )
  for (const at of [0, 1, 3, 2, 5, 4])
    t.type(opener.openRtp(packets[at] ?? Buffer.alloc(0), 0), Uint8Array)
})

t.test('a recording that starts in mid-call finds the rollover counter by the tag', async (t) => {
  const keys = keying(SUITE)
  const early = openerOf(keys)
  t.type(
    early.openRtp(sealedAt(keys, 3 * 0x10000 + 20), 0),
    Uint8Array,
    'at once in the first two hours',
  )
  const late = openerOf(keys)
  const opened: number[] = []
  for (let packet = 0; packet < 100; packet++) {
    const index = 200 * 0x10000 + 1000 + packet
    if (typeof late.openRtp(sealedAt(keys, index), packet * 20) !== 'string') opened.push(packet)
  }
  const [first = 100] = opened
  t.ok(first < 64, `after three days from packet ${first} on`)
  t.equal(opened.length, 100 - first, 'and from then on every one')
})

t.test('a new SSRC may keep the rollover counter or begin at 0', async (t) => {
  const keys = keying(SUITE)
  const opener = openerOf(keys)
  t.type(opener.openRtp(sealedAt(keys, 5 * 0x10000 + 1, { ssrc: 1 }), 0), Uint8Array)
  t.type(opener.openRtp(sealedAt(keys, 5 * 0x10000 + 2, { ssrc: 2 }), 20), Uint8Array, 'kept')
  t.type(opener.openRtp(sealedAt(keys, 40, { ssrc: 3 }), 40), Uint8Array, 'begun anew')
  t.equal(opener.openRtp(sealedAt(keys, 5 * 0x10000 + 1, { ssrc: 1 }), 60), 'replayed')
})

t.test(
  'a source that was not heard for hours is found again, and what is older is not taken',
  async (t) => {
    const keys = keying(SUITE)
    const opener = openerOf(keys)
    t.type(opener.openRtp(sealedAt(keys, 2 * 0x10000 + 9), 0), Uint8Array)
    t.equal(opener.openRtp(sealedAt(keys, 0x10000 + 40_000), 20), 'replayed')
    t.type(opener.openRtp(sealedAt(keys, 6 * 0x10000 + 20), 10_000), Uint8Array)
  },
)

t.test(
  'both keys open while one takes the place of the other, and then only the new one',
  async (t) => {
    const [before, after] = [keying(SUITE, 1), keying(SUITE, 2)]
    const opener = openerOf(before)
    t.type(opener.openRtp(sealedAt(before, 1), 0), Uint8Array)
    opener.agree(after)
    t.type(opener.openRtp(sealedAt(before, 2), 5000), Uint8Array, 'until the new one is used')
    t.type(opener.openRtp(sealedAt(after, 4), 5020), Uint8Array)
    t.type(opener.openRtp(sealedAt(before, 3), 5040), Uint8Array)
    t.type(opener.openRtp(sealedAt(after, 5), 7100), Uint8Array)
    t.equal(opener.openRtp(sealedAt(before, 6), 7120), 'unauthenticated')
  },
)

t.test('a key that is kept beside another goes on with what it has seen', async (t) => {
  const [first, second, third] = [1, 2, 3].map((fill) => keying(SUITE, fill, `000${fill}`))
  if (first === undefined || second === undefined || third === undefined) throw new Error('no key')
  const opener = openerOf({ ...first, keys: [...first.keys, ...second.keys] })
  const packet = sealedAt(second, 300 * 0x10000)
  for (let packet = 0; packet < 64; packet++) {
    opener.openRtp(sealedAt(second, 300 * 0x10000 - 64 + packet), packet * 20)
  }
  t.type(opener.openRtp(Buffer.from(packet), 2000), Uint8Array)
  opener.agree({ ...second, keys: [...second.keys, ...third.keys] })
  t.equal(opener.openRtp(Buffer.from(packet), 2020), 'replayed')
  t.type(opener.openRtp(sealedAt(second, 300 * 0x10000 + 1), 2040), Uint8Array)
})

t.test('a key is told to be beyond its lifetime by what it authenticated', async (t) => {
  const keys = withLifetime(keying(SUITE), 3)
  const opener = openerOf(keys)
  const sealer = new PacketSealer(keys)
  const report = writeReceiverReport(99, undefined, 'name')
  const beyond: boolean[] = []
  for (let at = 0; at < 3; at++) {
    opener.openRtp(sealed(sealer, { sequenceNumber: at }), 0)
    // Neither a forgery nor what came before uses it up.
    t.equal(opener.openRtp(sealedAt(keying(SUITE, 9), at + 10), 0), 'unauthenticated')
    opener.openRtcp(Buffer.from(sealer.sealRtcp(report) ?? []))
    beyond.push(opener.isBeyondLifetime)
  }
  t.same(beyond, [false, false, false], 'RTP and RTCP are counted apart')
  t.type(opener.openRtp(sealed(sealer, { sequenceNumber: 3 }), 0), Uint8Array)
  t.equal(opener.isBeyondLifetime, true)
  t.type(opener.openRtcp(Buffer.from(sealer.sealRtcp(report) ?? [])), Uint8Array)
  t.equal(opener.isBeyondLifetime, true, 'the first that goes beyond ends the key for both')
  opener.agree(withLifetime(keying(SUITE), 100))
  t.type(opener.openRtp(sealed(sealer, { sequenceNumber: 4 }), 0), Uint8Array)
  t.equal(opener.isBeyondLifetime, false, 'the lifetime that was told last counts')
})

t.test('a key that comes in time opens as many packets as its own lifetime says', async (t) => {
  const [before, after] = [withLifetime(keying(SUITE, 1), 2), withLifetime(keying(SUITE, 2), 2)]
  const opener = openerOf(before)
  const beyond = (keys: SrtpKeying, index: number) => {
    t.type(opener.openRtp(sealedAt(keys, index), index * 20), Uint8Array)
    return opener.isBeyondLifetime
  }
  t.same([beyond(before, 1), beyond(before, 2)], [false, false])
  opener.agree(after)
  t.same([beyond(after, 3), beyond(after, 4), beyond(after, 5)], [false, false, true])
})

t.test('behind the last number that there is comes none that was used long ago', async (t) => {
  const keys = keying(SUITE)
  const [master] = keys.keys
  if (master === undefined) throw new Error('no key')
  const sources = new ReceivedSources(createKeyContext(SRTP_SUITES[SUITE], master), 2 ** 32 - 1)
  t.type(sources.openRtp(sealedAt(keys, 2 ** 48 - 1), 0), Uint8Array)
  t.equal(sources.openRtp(sealedAt(keys, 0), 20), 'unauthenticated')
})

t.test('the same key keeps its rollover counter and what it has seen', async (t) => {
  const keys = keying(SUITE)
  const opener = openerOf(keys)
  const packet = sealedAt(keys, 3 * 0x10000)
  t.type(opener.openRtp(Buffer.from(packet), 0), Uint8Array)
  opener.agree(keying(SUITE))
  t.equal(opener.openRtp(Buffer.from(packet), 20), 'replayed')
})

t.test('RTCP with a tag of 32 bits is taken where RTP has one', async (t) => {
  const keys = keying('AES_CM_128_HMAC_SHA1_32')
  const report = writeReceiverReport(99, undefined, 'name')
  const [master] = keys.keys
  if (master === undefined) throw new Error('no key')
  const context = createKeyContext(SRTP_SUITES.AES_CM_128_HMAC_SHA1_32, master)
  const short = Buffer.concat([report, Buffer.from('80000001', 'hex'), Buffer.alloc(4)])
  context.rtcp.seal(short, {
    ...newPlace(),
    ssrc: 99,
    index: 1,
    headBytes: 8,
    bodyEnd: report.length,
    tagAt: report.length + 4,
    tagBytes: 4,
  })
  t.same(openerOf(keys).openRtcp(Buffer.from(short)), report)
  t.type(openerOf(keying(SUITE)).openRtcp(short), 'string')
})

t.test('no index is used twice for sending', async (t) => {
  const sealer = new PacketSealer(keying(SUITE))
  t.type(sealer.sealRtp(rtp({ sequenceNumber: 7 })), Uint8Array)
  t.equal(sealer.sealRtp(rtp({ sequenceNumber: 7, payload: Buffer.from('other') })), undefined)
  t.equal(sealer.sealRtp(Buffer.from('short')), undefined)
  t.equal(sealer.sealRtcp(Buffer.from('short')), undefined)
})
