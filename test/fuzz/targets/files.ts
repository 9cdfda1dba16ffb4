import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TallenneError } from '../../../base/tallenne-error.ts'
import { CaptureNotes } from '../../../cli/replay/capture/capture-notes.ts'
import { readDatagrams } from '../../../cli/replay/capture/datagrams.ts'
import { ConfigError, loadConfig } from '../../../config/load-config.ts'
import { decodeLine, encodeRecord } from '../../../storage/journal-record.ts'
import { SegmentReader, segmentName } from '../../../storage/journal-segment.ts'
import { contactStarted, recordingEnded } from '../../storage/journal-entries.ts'
import { type FuzzRun, type FuzzTarget, Unsound, utf8 } from '../target.ts'

/** Puts each input into a file of a folder that goes with the run. */
export function withFile(
  name: string,
  take: (path: string, folder: string) => void | Promise<void>,
): FuzzRun {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-fuzz-'))
  const path = join(folder, name)
  return {
    take: (input) => {
      writeFileSync(path, input)
      return take(path, folder)
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A segment that anything has happened to: each line is a record or a bad one, and what is a record is whole. */
export const journal: FuzzTarget = {
  name: 'journal',
  covers: ['storage/journal'],
  seeds: () => {
    const records = [contactStarted(), recordingEnded('c1', 'r1')].map((entry, at) =>
      encodeRecord({ sequence: at + 1, appendedAtMs: 1_700_000_000_000, entry }),
    )
    return [Buffer.concat(records), ...records]
  },
  words: ['\n', ' ', '{"kind":"contact.ended"', '"__proto__":', 'null', '\u2028'],
  maxBytes: 8_192,
  start: () =>
    withFile(segmentName(1), async (_path, folder) => {
      const reader = new SegmentReader(folder, 1)
      let offset = 0
      for (;;) {
        const lines = await reader.next()
        if (lines.length === 0) break
        for (const { endOffset, decoded } of lines) {
          if (endOffset <= offset) throw new Unsound('a line that goes back')
          offset = endOffset
          if (decoded.kind !== 'record') continue
          const again = decodeLine(encodeRecord(decoded.record).subarray(0, -1))
          if (again.kind !== 'record') throw new Unsound('a record that cannot be written')
        }
      }
      await reader.close()
    }),
}

const CONFIG = `node: { id: north-1 }
dataPath: /var/lib/tallenne
sip:
  listen: [{ transport: udp, host: 192.0.2.10, port: 5060 }]
  peers: [{ name: sbc, from: [192.0.2.0/24], digest: { user: a, password: b } }]
media: { bindAddress: 192.0.2.10, ports: { from: 20000, to: 29999 } }
serviceLines:
  - { name: asiakastuki, numbers: [+12025550100], period: P2M, timeZone: Europe/Helsinki }
trunk: { routes: [{ name: out, prefixes: ['+1202'], targets: [{ uri: 'sip:192.0.2.20' }] }] }
database: { host: 192.0.2.20, passwordFile: missing }
`

/** Whatever a configuration says, it is one, or all that is wrong with it is told. */
export const configuration: FuzzTarget = {
  name: 'config',
  covers: ['config/'],
  seeds: () => [Buffer.from(CONFIG)],
  words: [
    ...[
      '\n',
      '  ',
      ': ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '!!binary',
      '|',
      '>',
      '? ',
      '<<: *a',
    ],
    ...[
      '__proto__:',
      'constructor:',
      'secretFile: /dev/null',
      'null',
      '~',
      '.inf',
      '0x7f',
      '---\n',
    ],
    ...['siprec:', 'peers:', 'identification:', 'joining:', 'http:', 'retention:', 'encryption:'],
  ],
  maxBytes: 4_096,
  start: () =>
    withFile('tallenne.yaml', (path) => {
      try {
        loadConfig(path, {})
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        if (error.mistakes.length === 0) throw new Unsound('wrong without a mistake')
      }
    }),
}

/** A variable of the environment means something, or is told to be wrong. */
export const environment: FuzzTarget = {
  name: 'environment',
  covers: ['config/'],
  seeds: () =>
    [
      'SIP__SESSION_TIMER__EXPIRES_S=600',
      'SERVICE_LINES=[{name: tuki, numbers: [+12025550102], period: P1M}]',
      'SIP__LISTEN__0__PORT=5080',
    ].map((text) => Buffer.from(text)),
  words: [
    '__',
    '_',
    '=',
    '__PROTO__',
    '0',
    'CONSTRUCTOR',
    '{a: b}',
    '[1, 2]',
    'DATABASE__PASSWORD=',
  ],
  maxBytes: 1_024,
  start: () => ({
    take: (input) => {
      const [name = '', value = ''] = utf8(input).split(/=([\s\S]*)/, 2)
      try {
        loadConfig(undefined, { [`TALLENNE_${name.replaceAll('\0', '')}`]: value })
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
      }
    },
  }),
}

/** A capture of anybody's is read as far as it can be, or said to be none. */
export const captures: FuzzTarget = {
  name: 'capture',
  covers: ['cli/replay/capture/'],
  seeds: () => [pcapOf('INVITE sip:a SIP/2.0\r\n\r\n')],
  words: [
    '\n\r\r\n',
    '\u0000\u0000\u0000\u0006',
    '\u00d4\u00c3\u00b2\u00a1',
    '\u0008\u0000',
    'E\u0000',
  ],
  maxBytes: 8_192,
  start: () =>
    withFile('capture.pcap', (path) => {
      let count = 0
      try {
        for (const _datagram of readDatagrams(path, new CaptureNotes())) count += 1
      } catch (error) {
        if (!(error instanceof TallenneError)) throw error
      }
      if (count > 10_000) throw new Unsound('more datagrams than bytes')
    }),
}

/** One datagram over IPv4 on a raw link. */
function pcapOf(text: string): Uint8Array {
  const ip = Buffer.alloc(28 + text.length)
  ip[0] = 0x45
  ip.writeUInt16BE(ip.length, 2)
  ip[8] = 64
  ip[9] = 17
  ip.writeUInt32BE(0xc0000201, 12)
  ip.writeUInt32BE(0xc0000202, 16)
  ip.writeUInt16BE(5060, 20)
  ip.writeUInt16BE(5060, 22)
  ip.writeUInt16BE(8 + text.length, 24)
  ip.write(text, 28, 'latin1')
  const file = Buffer.alloc(40)
  file.writeUInt32LE(0xa1b2c3d4, 0)
  file.writeUInt16LE(2, 4)
  file.writeUInt16LE(4, 6)
  file.writeUInt32LE(65_535, 16)
  file.writeUInt32LE(101, 20)
  file.writeUInt32LE(ip.length, 32)
  file.writeUInt32LE(ip.length, 36)
  return Buffer.concat([file, ip])
}
