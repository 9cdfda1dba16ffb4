/** Servers for the FreeSWITCH plane, as the environment names them. */
export interface NamedServers {
  readonly freeswitch:
    | { readonly host: string; readonly port: number; readonly password: string }
    | undefined
  /** Undefined where the embedded SIP server is to do. */
  readonly drachtio:
    | {
        readonly host: string
        readonly port: number
        readonly secret: string
        readonly sipPort: number
      }
    | undefined
}

/** Reads `HOST:PORT:PASSWORD` and `HOST:PORT:SECRET:SIP-PORT`; what is not whole is not named. */
export function namedServers(env: Readonly<NodeJS.ProcessEnv>): NamedServers {
  const [host, port, password] = (env['TALLENNE_TEST_FREESWITCH'] ?? '').split(':')
  const [sipHost, admin, secret, sipPort] = (env['TALLENNE_TEST_DRACHTIO'] ?? '').split(':')
  return {
    freeswitch: host && port && password ? { host, port: Number(port), password } : undefined,
    drachtio:
      sipHost && admin && secret && sipPort
        ? { host: sipHost, port: Number(admin), secret, sipPort: Number(sipPort) }
        : undefined,
  }
}
