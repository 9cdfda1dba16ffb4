import { Counter, Gauge, type Registry } from 'prom-client'
import { registerConnectionMetrics } from './sip-connection-metrics.ts'
import type { SipServerCounters } from './sip-server/counters.ts'

type Tally = Readonly<Record<string, number>>

/** What the embedded SIP server counts; nothing where a drachtio server, which has metrics of its own, does its work. */
export function registerSipServerMetrics(
  registry: Registry,
  read: () => SipServerCounters | undefined,
): void {
  const registers = [registry]
  const labelled: readonly {
    readonly name: string
    readonly help: string
    readonly labels: readonly string[]
    readonly read: (counters: SipServerCounters) => Readonly<Record<'received' | 'sent', Tally>>
  }[] = [
    {
      name: 'tallenne_sip_requests_total',
      help: 'SIP requests of the embedded server, by direction and method.',
      labels: ['method'],
      read: ({ requestsReceived, requestsSent }) => ({
        received: requestsReceived,
        sent: requestsSent,
      }),
    },
    {
      name: 'tallenne_sip_responses_total',
      help: 'SIP responses of the embedded server, by direction and class.',
      labels: ['class'],
      read: ({ responsesReceived, responsesSent }) => ({
        received: responsesReceived,
        sent: responsesSent,
      }),
    },
    {
      name: 'tallenne_sip_retransmissions_total',
      help: 'SIP messages that came or went again, since an answer was late or lost.',
      labels: [],
      read: ({ retransmissionsReceived, retransmissionsSent }) => ({
        received: { all: retransmissionsReceived },
        sent: { all: retransmissionsSent },
      }),
    },
    {
      name: 'tallenne_sip_transactions_failed_total',
      help: 'SIP requests that came to nothing: sent and not answered, or received and not answered or acknowledged.',
      labels: ['reason'],
      read: ({ failedReceived, failedSent }) => ({ received: failedReceived, sent: failedSent }),
    },
    {
      name: 'tallenne_sip_dropped_total',
      help: 'What came to the embedded SIP server and was thrown away, by reason.',
      labels: ['reason'],
      read: ({ dropped }) => ({ received: dropped, sent: {} }),
    },
  ]
  for (const { name, help, labels, read: tallies } of labelled) {
    const [label] = labels
    new Counter({
      name,
      help,
      labelNames: ['direction', ...labels],
      registers,
      collect() {
        const counters = read()
        if (counters === undefined) return
        this.reset()
        for (const [direction, tally] of Object.entries(tallies(counters))) {
          for (const [value, count] of Object.entries(tally)) {
            this.inc(label === undefined ? { direction } : { direction, [label]: value }, count)
          }
        }
      },
    })
  }
  registerConnectionMetrics(registry, read)
  registerOpen(registry, read)
}

/** What the server has open at the scrape. */
function registerOpen(registry: Registry, read: () => SipServerCounters | undefined): void {
  const gauges = [
    ['transactions', 'SIP transactions under way.'],
    ['connections', 'SIP connections over TCP and TLS.'],
    ['dialogs', 'SIP dialogs.'],
    ['clients', 'Clients of the embedded SIP server: the gateway itself.'],
  ] as const
  for (const [what, help] of gauges) {
    new Gauge({
      name: `tallenne_sip_open_${what}`,
      help,
      registers: [registry],
      collect() {
        const counters = read()
        if (counters !== undefined) this.set(counters[what])
      },
    })
  }
}
