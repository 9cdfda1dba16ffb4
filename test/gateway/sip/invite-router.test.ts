import t from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { InviteRouter } from '../../../gateway/sip/invite-router.ts'
import type { SipRequest, SipResponse } from '../../../gateway/sip/sip-surface.ts'

/** An INVITE as the framework hands it over, with what becomes of it. */
function invite(callId: string) {
  const sent: number[] = []
  let cancel = () => {}
  const request = {
    uri: 'sip:+12025550100@192.0.2.10',
    source_address: '192.0.2.1',
    get: (name: string) => (name === 'Call-ID' ? callId : undefined),
    on: (_event: string, listener: () => void) => {
      cancel = listener
    },
  } as unknown as SipRequest
  const response = { send: (status: number) => sent.push(status) } as unknown as SipResponse
  return { request, response, sent, cancel: () => cancel() }
}

function routerFor(callIds: readonly string[]) {
  const taken: string[] = []
  const router = new InviteRouter({
    takers: [
      {
        take: (request) => {
          const callId = request.get('Call-ID') ?? ''
          if (callIds.includes(callId)) taken.push(callId)
          return callIds.includes(callId)
        },
      },
    ],
    log: createSilentLog(),
    onUnrouted: () => taken.push('unrouted'),
  })
  return { router, taken }
}

t.test('calls that come while the node starts wait for it, in their order', async (t) => {
  const { router, taken } = routerFor(['first', 'second', 'third'])
  for (const callId of ['first', 'second']) {
    const { request, response } = invite(callId)
    router.route(request, response)
  }
  t.same(taken, [])
  router.open()
  t.same(taken, ['first', 'second'])
  const { request, response } = invite('third')
  router.route(request, response)
  t.same(taken, ['first', 'second', 'third'])
})

t.test('a call that is cancelled while the node starts is not taken', async (t) => {
  const { router, taken } = routerFor(['given up'])
  const { request, response, cancel } = invite('given up')
  router.route(request, response)
  cancel()
  router.open()
  t.same(taken, [])
})

t.test('what nobody takes is answered 404', async (t) => {
  const { router, taken } = routerFor([])
  const { request, response, sent } = invite('stranger')
  router.open()
  router.route(request, response)
  t.same(sent, [404])
  t.same(taken, ['unrouted'])
})
