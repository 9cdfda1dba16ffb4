import fc from 'fast-check'
import t from 'tap'
import { infoKey } from '../../../gateway/calls/info-key.ts'

function keyIn(contentType: string | undefined, body: string | undefined): string | undefined {
  return infoKey({ get: () => contentType, body: body ?? '' })
}

t.test('a key is read in both forms, however it is written', async (t) => {
  for (const [type, body, key] of [
    ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n', '5'],
    ['application/dtmf-relay', 'Signal= *\r\nDuration= 250', '*'],
    ['Application/DTMF-Relay;charset=utf-8', 'duration=160\nsignal = d\n', 'D'],
    ['application/dtmf-relay', 'Signal=11', '#'],
    ['application/dtmf-relay', 'Signal=10\r\n', '*'],
    ['application/dtmf', '7', '7'],
    ['application/dtmf', ' #\r\n', '#'],
  ] as const) {
    t.equal(keyIn(type, body), key, body)
  }
})

t.test('what is no key is none', async (t) => {
  for (const [type, body] of [
    ['application/dtmf-relay', 'Signal=hf\r\n'],
    ['application/dtmf-relay', 'Signal=16'],
    ['application/dtmf-relay', 'Signal=55555\r\n'],
    ['application/dtmf-relay', `${'x'.repeat(300)}\r\nSignal=5`],
    ['application/dtmf-relay', ''],
    ['application/dtmf', '123'],
    ['application/sdp', 'Signal=5'],
    [undefined, 'Signal=5'],
    ['application/dtmf', undefined],
  ] as const) {
    t.equal(keyIn(type, body), undefined, body ?? 'no body')
  }
  fc.assert(
    fc.property(fc.string(), (body) => {
      const key = keyIn('application/dtmf-relay', `Signal=${body}`)
      return key === undefined || /^[0-9*#A-D]$/.test(key)
    }),
  )
})
