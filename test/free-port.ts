import { firstFreePort } from '../cli/up/free-port.ts'

// Below the ports that the kernel gives to connections, which could take one before it is used (ip(7),
// `ip_local_port_range`), and clear of those that tests name themselves.
const LOWEST = 10_000
const SPAN = 9000

const given = new Set<number>()

/** A port of 127.0.0.1 that nobody listens at now, by TCP or by UDP, and that was not given here before. */
export async function freePort(): Promise<number> {
  const from = { host: '127.0.0.1', port: LOWEST + Math.floor(Math.random() * SPAN) }
  const port = await firstFreePort(from, { transports: ['udp', 'tcp'], except: given })
  if (port === undefined) throw new Error(`no port is free from ${from.port} upwards`)
  given.add(port)
  return port
}
