import fc from 'fast-check'
import t from 'tap'
import { crc32, crc32ByTable } from '../../storage/crc32.ts'

t.test('both ways give the checksum that is known of "123456789", and agree on all else', (t) => {
  const known = Buffer.from('123456789')
  t.equal(crc32(known), 0xcbf43926)
  t.equal(crc32ByTable(known), 0xcbf43926)
  fc.assert(fc.property(fc.uint8Array(), (bytes) => crc32(bytes) === crc32ByTable(bytes)))
  t.end()
})
