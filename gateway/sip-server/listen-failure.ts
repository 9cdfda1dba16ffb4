import { formatAddress } from '../../base/address.ts'
import { hasCode } from '../../base/has-code.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'

/** The error for an address that could not be listened on: `port_taken`, or `listen_failed` for all else. */
export function bindFailure(
  name: string,
  address: { readonly host: string; readonly port: number },
  cause: unknown,
): TallenneError {
  const where = `${name} ${formatAddress(address)}`
  if (hasCode(cause, 'EADDRINUSE')) {
    return new TallenneError(
      'port_taken',
      `The SIP server cannot listen on ${where} because another program does; stop that program or choose another port.`,
      { cause },
    )
  }
  return new TallenneError(
    'listen_failed',
    `The SIP server cannot listen on ${where} (${messageOf(cause)}); check that the address belongs to this machine.`,
    { cause },
  )
}
