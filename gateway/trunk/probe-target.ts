import type { RequestSender } from '../sip/call-maker.ts'
import { localContact } from '../sip/local-contact.ts'
import type { Probe } from './target-health.ts'

/** Statuses that the SIP server makes up where nobody answers, or where a proxy found nobody. */
const NOBODY = new Set([408, 503])

/**
 * Probes by OPTIONS through whatever server is connected. Without one nothing can be said of the target, and it counts
 * as there.
 */
export function probeBy(server: () => RequestSender | undefined): Probe {
  return (uri) =>
    new Promise((resolve) => {
      const sender = server()
      if (sender === undefined) return resolve(true)
      const headers = { Contact: localContact('keepalive', uri), Accept: 'application/sdp' }
      sender.request(uri, { method: 'OPTIONS', headers }, (failure, request) => {
        if (failure || request === undefined) return resolve(false)
        request.on('response', ({ status }) => {
          if (status >= 200) resolve(!NOBODY.has(status))
        })
      })
    })
}
