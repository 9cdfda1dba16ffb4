import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { TallenneError } from '../../../../base/tallenne-error.ts'
import { CaptureNotes } from '../../../../cli/replay/capture/capture-notes.ts'
import { readDatagrams } from '../../../../cli/replay/capture/datagrams.ts'
import {
  block,
  type CapturedPacket,
  captureFile,
  ethernet,
  fragments,
  ip,
  numbers,
  pcap,
  pcapng,
  udp,
} from '../captures.ts'

const A = { address: '192.0.2.1', port: 4000 }
const B = { address: '198.51.100.2', port: 5000 }
const A6 = { address: '2001:db8::1', port: 4000 }
const B6 = { address: '2001:db8:0:1::2', port: 5000 }
const AT = 1_767_225_600_123.456

function readCapture(bytes: Buffer) {
  const path = captureFile(bytes)
  const notes = new CaptureNotes()
  try {
    return { datagrams: [...readDatagrams(path, notes)], notes: notes.lines }
  } finally {
    rmSync(dirname(path), { recursive: true })
  }
}

function one(frame: Buffer, linkType: number) {
  const { datagrams, notes } = readCapture(pcap([{ atMs: AT, bytes: frame }], { linkType }))
  return { text: datagrams.map(({ payload }) => payload.toString()).join(), notes, datagrams }
}

t.test('pcap and pcapng in both byte orders and with any resolution say the same', async (t) => {
  const packets: CapturedPacket[] = [
    { atMs: AT, bytes: ethernet(udp(A, B, Buffer.from('hello'))) },
    { atMs: AT + 20, bytes: ethernet(udp(B, A, Buffer.from('world'))) },
  ]
  const files = [
    pcap(packets),
    pcap(packets, { isBigEndian: true }),
    pcap(packets, { isNano: true }),
    pcap(packets, { isNano: true, isBigEndian: true }),
    pcapng(packets),
    pcapng(packets, { isBigEndian: true }),
    pcapng(packets, { interfaces: [{ linkType: 1, resolution: 9 }] }),
    pcapng(packets, { interfaces: [{ linkType: 1, resolution: 0x80 | 20 }], isBigEndian: true }),
  ]
  for (const [index, file] of files.entries()) {
    const { datagrams, notes } = readCapture(file)
    t.match(
      datagrams,
      [
        { kind: 'udp', number: 1, from: A, to: B, payload: Buffer.from('hello') },
        { kind: 'udp', number: 2, from: B, to: A, payload: Buffer.from('world') },
      ],
      `file ${index}`,
    )
    t.ok(Math.abs((datagrams[0]?.atMs ?? 0) - AT) < 0.01, `time of file ${index}`)
    t.same(notes, [])
  }
})

t.test('interfaces of different links, several sections, and blocks of other kinds', async (t) => {
  const frame = udp(A, B, Buffer.from('x'))
  const first = pcapng(
    [
      { atMs: 1000, bytes: ethernet(frame), interfaceId: 0 },
      { atMs: 2000, bytes: frame, interfaceId: 1 },
      { atMs: 3000, bytes: frame, interfaceId: 2 },
    ],
    { interfaces: [{ linkType: 1 }, { linkType: 101, resolution: 9 }] },
  )
  const statistics = block(5, Buffer.alloc(12))
  const second = pcapng([{ atMs: 4000, bytes: frame }], {
    interfaces: [{ linkType: 228 }],
    isBigEndian: true,
  })
  const { datagrams, notes } = readCapture(Buffer.concat([first, statistics, second]))
  t.same(
    datagrams.map(({ number, atMs }) => [number, atMs]),
    [
      [1, 1000],
      [2, 2000],
      [4, 4000],
    ],
  )
  t.same(notes, ['packet 3 is not whole, or of no known interface'])
})

t.test('packets without a time of their own, and of the older kind', async (t) => {
  const { uint16, uint32 } = numbers(false)
  const frame = ethernet(udp(A, B, Buffer.from('simple!')))
  const simple = block(3, Buffer.concat([uint32(frame.length), frame]))
  const length = uint32(frame.length)
  const old = block(
    2,
    Buffer.concat([uint16(0), uint16(0), uint32(0), uint32(5_000_000), length, length, frame]),
  )
  const { datagrams } = readCapture(Buffer.concat([pcapng([]), old, simple]))
  t.same(
    datagrams.map(({ atMs, payload }) => [atMs, payload.toString()]),
    [
      [5000, 'simple!'],
      [5000, 'simple!'],
    ],
  )
})

t.test('links', async (t) => {
  const four = udp(A, B, Buffer.from('four'))
  const six = udp(A6, B6, Buffer.from('six'))
  const { uint16, uint32 } = numbers(true)
  const cooked = Buffer.concat([uint16(0), uint16(1), uint16(6), Buffer.alloc(8)])
  const cooked2 = Buffer.concat([uint16(0), uint32(3), uint16(1), Buffer.alloc(10)])
  const cases: readonly (readonly [string, number, Buffer, string])[] = [
    ['Ethernet', 1, ethernet(four), 'four'],
    ['Ethernet with a VLAN tag', 1, ethernet(four, [0x8100]), 'four'],
    ['Ethernet with two', 1, ethernet(six, [0x88a8, 0x8100]), 'six'],
    ['cooked v1', 113, Buffer.concat([cooked, uint16(0x0800), four]), 'four'],
    [
      'cooked v1, tagged',
      113,
      Buffer.concat([cooked, uint16(0x8100), uint16(5), uint16(0x0800), four]),
      'four',
    ],
    ['cooked v2', 276, Buffer.concat([uint16(0x86dd), cooked2, six]), 'six'],
    ['raw', 101, six, 'six'],
    ['raw, as BSD numbers it', 12, four, 'four'],
    ['raw IPv4', 228, four, 'four'],
    ['raw IPv6', 229, six, 'six'],
    ['loopback', 0, Buffer.concat([Buffer.of(2, 0, 0, 0), four]), 'four'],
    ['loopback of another machine', 0, Buffer.concat([Buffer.of(0, 0, 0, 30), six]), 'six'],
    ['OpenBSD loopback', 108, Buffer.concat([Buffer.of(0, 0, 0, 24), six]), 'six'],
    [
      'something else than IP',
      1,
      Buffer.concat([Buffer.alloc(12), uint16(0x0806), Buffer.alloc(28)]),
      '',
    ],
  ]
  for (const [name, linkType, frame, expected] of cases) {
    const { text, notes } = one(frame, linkType)
    t.equal(text, expected, name)
    t.same(notes, [], name)
  }
  t.same(one(four, 105).notes, ['packet 1 came over a link of type 105, which is not known here'])
})

t.test('IPv6 addresses are written as sockets write them', async (t) => {
  const { datagrams } = one(udp(A6, B6, Buffer.from('x')), 229)
  t.match(datagrams, [{ from: A6, to: B6 }])
})

t.test('IPv6 extension headers are passed over', async (t) => {
  const whole = udp(A6, B6, Buffer.from('behind options'))
  const options = (next: number) => Buffer.of(next, 1, 1, 12, ...new Array<number>(12).fill(0))
  const payload = Buffer.concat([options(43), options(60), options(17), whole.subarray(40)])
  t.equal(one(ip(A6.address, B6.address, { protocol: 0, payload }), 101).text, 'behind options')
})

t.test('fragments are put together in any order, and doubles do no harm', async (t) => {
  const payload = Buffer.from(Array.from({ length: 3000 }, (_, index) => index & 0xff))
  const [first, second, third] = fragments(udp(A, B, payload), 1008)
  const order = [third, first, first, second].flatMap((bytes) => (bytes ? [bytes] : []))
  const { datagrams, notes } = readCapture(
    pcap(
      order.map((bytes, index) => ({ atMs: 1000 + index, bytes })),
      { linkType: 101 },
    ),
  )
  t.same(
    datagrams.map(({ number }) => number),
    [4],
  )
  t.ok(datagrams[0]?.payload.equals(payload))
  t.same(notes, [])
})

t.test('fragments of IPv6 are put together', async (t) => {
  const whole = udp(A6, B6, Buffer.alloc(1600, 7)).subarray(40)
  const { uint16, uint32 } = numbers(true)
  const piece = (from: number, to: number, more: number) => {
    const header = Buffer.concat([Buffer.of(17, 0), uint16(from | more), uint32(99)])
    const payload = Buffer.concat([header, whole.subarray(from, to)])
    return ip(A6.address, B6.address, { protocol: 44, payload })
  }
  const { datagrams } = readCapture(
    pcap(
      [piece(0, 800, 1), piece(800, whole.length, 0)].map((bytes) => ({ atMs: 1, bytes })),
      {
        linkType: 101,
      },
    ),
  )
  t.ok(datagrams[0]?.payload.equals(Buffer.alloc(1600, 7)))
})

t.test('what never becomes whole is told, however many there are', async (t) => {
  const packets = Array.from({ length: 1000 }, (_, id) => {
    const [first] = fragments(udp(A, B, Buffer.alloc(2000)), 1008, id)
    return { atMs: 1000 + id, bytes: first ?? Buffer.alloc(0) }
  })
  const { datagrams, notes } = readCapture(pcap(packets, { linkType: 101 }))
  t.same(datagrams, [])
  t.same(notes, ['packet 1 began with a fragment whose others are not there (and 999 more)'])
})

t.test(
  'a packet that was cut when it was captured is told, and what there is of it is used',
  async (t) => {
    const whole = ethernet(udp(A, B, Buffer.alloc(500, 65)))
    const { datagrams, notes } = readCapture(pcap([{ atMs: 1, bytes: whole.subarray(0, 200) }]))
    t.equal(datagrams[0]?.payload.length, 200 - 14 - 28)
    t.match(notes, [/^packet 1 was not captured whole/])
  },
)

t.test('padding behind a short packet is none of it', async (t) => {
  const frame = Buffer.concat([ethernet(udp(A, B, Buffer.from('x'))), Buffer.alloc(17)])
  t.equal(one(frame, 1).text, 'x')
})

t.test('what is no capture is said so', async (t) => {
  for (const [bytes, message] of [
    [Buffer.alloc(0), /it is empty/],
    [Buffer.from('1f8b0800', 'hex'), /it is compressed: unpack it first/],
    [Buffer.from('INVITE sip:'), /it begins with 494e5649, as neither pcap nor pcapng does/],
  ] as const) {
    t.throws(() => readCapture(bytes), { code: 'unreadable_capture', message })
  }
  const notes = new CaptureNotes()
  t.throws(() => [...readDatagrams('/nowhere/at/all.pcap', notes)], { code: 'unreadable_capture' })
})

t.test('a length that makes no sense names its packet', async (t) => {
  const packets = [1, 2].map((atMs) => ({ atMs, bytes: ethernet(udp(A, B, Buffer.from('x'))) }))
  const bytes = pcap(packets)
  bytes.writeUInt32LE(0x7fffffff, 24 + 16 + (packets[0]?.bytes.length ?? 0) + 8)
  t.throws(() => readCapture(bytes), /^Packet 2 says that it is 2147483647 bytes long/)
})

t.test('captures cut at every byte are read up to there, or refused', async (t) => {
  const packets = [1, 2].map((atMs) => ({ atMs, bytes: ethernet(udp(A, B, Buffer.from('x'))) }))
  for (const whole of [pcap(packets), pcapng(packets)]) {
    for (let length = 0; length < whole.length; length += 1) {
      const outcome = attempt(whole.subarray(0, length))
      if (outcome !== 'refused' && outcome.datagrams.length > 2) t.fail(`${length}`)
    }
  }
  const cut = attempt(pcap(packets).subarray(0, -3))
  t.match(cut, {
    datagrams: [{ number: 1 }],
    notes: ['packet 2 is cut: the capture ends within it'],
  })
})

t.test('damaged captures are read or refused', async () => {
  const packets = [
    ...fragments(udp(A, B, Buffer.alloc(2000)), 1008).map((bytes) => ({
      atMs: 1,
      bytes: ethernet(bytes),
    })),
    { atMs: 2, bytes: ethernet(udp(A6, B6, Buffer.from('x')), [0x8100]) },
  ]
  const files = [pcap(packets), pcapng(packets)]
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      (file, changes) => {
        const bytes = Buffer.from(file)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        attempt(bytes)
      },
    ),
    { numRuns: 300 },
  )
})

function attempt(bytes: Buffer) {
  try {
    return readCapture(bytes)
  } catch (error) {
    if (error instanceof TallenneError && error.code === 'unreadable_capture') return 'refused'
    throw error
  }
}
