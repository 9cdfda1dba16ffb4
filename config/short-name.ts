import { z } from 'zod'

/** A name that may stand in a metric's label, a log or an address: of a peer, a route, a server, a service line. */
export const shortName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'small letters, digits and hyphens')
