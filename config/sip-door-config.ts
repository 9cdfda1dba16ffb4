import { z } from 'zod'
import { addressBlock } from './address-block.ts'
import { certificateName } from './certificate-name.ts'
import { shortName } from './short-name.ts'

const credentials = z.strictObject({
  user: z.string().min(1).max(128),
  password: z.string().min(1),
})

/** Somebody who may call: by all that is named here at once. */
export const sipPeer = z.strictObject({
  /** For mistakes and logs. */
  name: shortName,
  /** Source addresses; any where absent. */
  from: z.array(addressBlock).min(1).optional(),
  /** Names of which its certificate has one; any where absent. */
  tlsNames: z.array(certificateName).min(1).optional(),
  /** What it must know, where it is asked (RFC 8760). */
  digest: credentials.optional(),
})

export const digestSchema = z.strictObject({
  /** What challenges call this place; the passwords belong to it. */
  realm: z
    .string()
    .regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'printable characters without quotes')
    .default('tallenne'),
  /** Hash functions of challenges, the preferred one first. */
  algorithms: z
    .array(z.enum(['SHA-256', 'MD5']))
    .min(1)
    .default(['SHA-256', 'MD5']),
})

/** What a source may ask for, and when it is shut out. */
export const guardSchema = z.strictObject({
  /** Requests outside of dialogs that an address which may call sends in a second; more are answered 503. */
  requestsPerS: z.int().min(1).max(100_000).default(500),
  /** Answers in a second to an address that may not call; more go unanswered. */
  strangerAnswersPerS: z.int().min(0).max(1000).default(5),
  /** Dialogs at a time with one address. */
  maxDialogsPerSource: z.int().min(1).max(20_000).default(5000),
  /** So many offences within a minute, and the address is banned. */
  offencesAMinute: z.int().min(1).max(10_000).default(20),
  /** How long a ban lasts; 0 bans nobody. */
  banS: z.int().min(0).max(604_800).default(600),
  /** Parts of the User-Agent by which a scanner is banned at its first word, in any case of letters. */
  scannerAgents: z
    .array(z.string().min(3).max(64))
    .default([
      ...['friendly-scanner', 'friendly-request', 'sipvicious', 'sipcli', 'sip-scan', 'sipscan'],
      ...['sundayddr', 'pplsip', 'vaxsipuseragent', 'sivus'],
    ]),
  /** Addresses that are never banned, beside those of peers. */
  neverBan: z.array(addressBlock).default(['127.0.0.0/8', '::1']),
})

export type SipPeer = z.infer<typeof sipPeer>
export type DigestConfig = z.infer<typeof digestSchema>
export type GuardConfig = z.infer<typeof guardSchema>
