import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { HmacSha1 } from '../../../recorder/srtp/hmac-sha1.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

t.test('the vectors of RFC 2202 come out', async (t) => {
  const jefe = new HmacSha1(Buffer.from('Jefe'))
  const question = Buffer.from('what do ya want for nothing?')
  jefe.digest(question, question.length)
  t.equal(hex(jefe.code), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79')
  const ordinary = new HmacSha1(Buffer.alloc(20, 0x0b))
  ordinary.digest(Buffer.from('Hi There'), 8)
  t.equal(hex(ordinary.code), 'b617318655057264e28bc0b6fb378c8ef146be00')
})

t.test('any message under any key gives what node:crypto gives', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.uint8Array({ maxLength: 400 }),
      fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined }),
      (key, message, number) => {
        const mac = new HmacSha1(key)
        mac.digest(message, message.length, number)
        const reference = createHmac('sha1', key).update(message)
        const last = Buffer.alloc(4)
        last.writeUInt32BE(number ?? 0)
        if (number !== undefined) reference.update(last)
        return hex(mac.code) === reference.digest('hex')
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('a tag of any length is compared byte by byte', async (t) => {
  const mac = new HmacSha1(Buffer.alloc(20, 1))
  mac.digest(Buffer.alloc(64), 64)
  const tagged = Buffer.concat([Buffer.alloc(3), mac.code])
  t.equal(mac.begins(tagged, 3, 10), true)
  for (let at = 0; at < 10; at++) {
    const wrong = Buffer.from(tagged)
    wrong[3 + at] = (wrong[3 + at] ?? 0) ^ 1
    t.equal(mac.begins(wrong, 3, 10), false, `byte ${at}`)
  }
})
