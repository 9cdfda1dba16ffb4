import { z } from 'zod'

/** A name that a certificate must have, as it stands in the configuration. */
export const certificateName = z
  .string()
  .regex(/^(\*\.)?[A-Za-z0-9.:_-]{1,253}$/, 'a host name, as sbc.example.com, or an address')
