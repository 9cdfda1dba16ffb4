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
    readonly label: string
    readonly read: (counters: SipServerCounters) => readonly (readonly [string, Tally])[]
  }[] = [
    {
      name: 'tallenne_sip_requests_total',
      help: 'SIP requests of the embedded server, by direction and method',
      label: 'method',
      read: ({ requestsReceived, requestsSent }) => [
        ['received', requestsReceived],
        ['sent', requestsSent],
      ],
    },
    {
      name: 'tallenne_sip_responses_total',
      help: 'SIP responses of the embedded server, by direction and class',
      label: 'class',
      read: ({ responsesReceived, responsesSent }) => [
        ['received', responsesReceived],
        ['sent', responsesSent],
      ],
    },
    {
      name: 'tallenne_sip_retransmissions_total',
      help: 'SIP messages that came or went again, by direction',
      label: 'kind',
      read: ({ retransmissionsReceived, retransmissionsSent }) => [
        ['received', { any: retransmissionsReceived }],
        ['sent', { any: retransmissionsSent }],
      ],
    },
    {
      name: 'tallenne_sip_dropped_total',
      help: 'What came to the embedded SIP server and was thrown away, by reason',
      label: 'reason',
      read: ({ dropped }) => [['received', dropped]],
    },
  ]
  for (const { name, help, label, read: tallies } of labelled) {
    new Counter({
      name,
      help,
      labelNames: ['direction', label],
      registers,
      collect() {
        const counters = read()
        if (counters === undefined) return
        this.reset()
        for (const [direction, tally] of tallies(counters)) {
          for (const [value, count] of Object.entries(tally)) {
            this.inc({ direction, [label]: value }, count)
          }
        }
      },
    })
  }
  registerConnectionMetrics(registry, read)
  new Gauge({
    name: 'tallenne_sip_open',
    help: 'What the embedded SIP server has open: transactions, connections, dialogs, clients',
    labelNames: ['what'],
    registers,
    collect() {
      const counters = read()
      if (counters === undefined) return
      const { transactions, connections, dialogs, clients } = counters
      for (const [what, count] of Object.entries({ transactions, connections, dialogs, clients })) {
        this.set({ what }, count)
      }
    },
  })
}
