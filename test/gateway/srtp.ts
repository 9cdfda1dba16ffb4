import { createCipheriv, createHmac } from 'node:crypto'

const KEY_BYTES = 16
const SALT_BYTES = 14
const TAG_BYTES = 10

/**
 * Protects RTP packets of one SSRC by AES_CM_128_HMAC_SHA1_80 (RFC 3711), as an `a=crypto` line with this key says.
 * For fewer packets than make the sequence number wrap.
 */
export function srtpProtector(inlineKey: string): (packet: Buffer) => Buffer {
  const master = Buffer.from(inlineKey, 'base64')
  const key = master.subarray(0, KEY_BYTES)
  const salt = master.subarray(KEY_BYTES, KEY_BYTES + SALT_BYTES)
  const derived = (label: number, length: number) => {
    const iv = Buffer.concat([salt, Buffer.alloc(2)])
    iv[7] = (iv[7] ?? 0) ^ label
    return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(length))
  }
  const [cipherKey, authKey, cipherSalt] = [derived(0, 16), derived(1, 20), derived(2, SALT_BYTES)]
  return (packet) => {
    const iv = Buffer.concat([cipherSalt, Buffer.alloc(2)])
    for (let at = 0; at < 4; at++) iv[4 + at] = (iv[4 + at] ?? 0) ^ (packet[8 + at] ?? 0)
    for (let at = 0; at < 2; at++) iv[12 + at] = (iv[12 + at] ?? 0) ^ (packet[2 + at] ?? 0)
    const payload = createCipheriv('aes-128-ctr', cipherKey, iv).update(packet.subarray(12))
    const whole = Buffer.concat([packet.subarray(0, 12), payload])
    const tag = createHmac('sha1', authKey).update(whole).update(Buffer.alloc(4)).digest()
    return Buffer.concat([whole, tag.subarray(0, TAG_BYTES)])
  }
}
