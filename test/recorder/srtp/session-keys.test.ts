import t from 'tap'
import { deriveSessionKeys } from '../../../recorder/srtp/session-keys.ts'
import { SRTP_SUITES } from '../../../recorder/srtp/srtp-suite.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

t.test('the key derivation of RFC 3711 appendix B.3 comes out', async (t) => {
  const master = Buffer.from('E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6', 'hex')
  const keys = deriveSessionKeys(SRTP_SUITES.AES_CM_128_HMAC_SHA1_80, master, 'rtp')
  t.equal(hex(keys.key), 'c61e7a93744f39ee10734afe3ff7a087')
  t.equal(hex(keys.salt), '30cbbc08863d8c85d49db34a9ae1')
  t.equal(hex(keys.authKey), 'cebe321f6ff7716b6fd4ab49af256a156d38baa4')
})

t.test('the key derivation of RFC 6188 section 7.2 comes out', async (t) => {
  const master = Buffer.from(
    'f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b63b04803de51ee7c96423ab5b78d2',
    'hex',
  )
  const keys = deriveSessionKeys(SRTP_SUITES.AES_256_CM_HMAC_SHA1_80, master, 'rtp')
  t.equal(hex(keys.key), '5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4')
  t.equal(hex(keys.salt), 'fa31791685ca444a9e07c6c64e93')
  t.equal(hex(keys.authKey), 'fd9c32d39ed5fbb5a9dc96b30818454d1313dc05')
})

t.test('RTP and RTCP have keys of their own', async (t) => {
  const master = Buffer.alloc(28, 5)
  const suite = SRTP_SUITES.AEAD_AES_128_GCM
  const media = deriveSessionKeys(suite, master, 'rtp')
  const control = deriveSessionKeys(suite, master, 'rtcp')
  t.not(hex(media.key), hex(control.key))
  t.equal(media.salt.length, 12)
  t.equal(media.authKey.length, 0)
})
