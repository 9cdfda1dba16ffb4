import fc from 'fast-check'
import t from 'tap'
import { type FarSideOf, passedReferTo } from '../../../gateway/trunk/far-side.ts'
import { readReplaces, replacesIn, writeReplaces } from '../../../gateway/trunk/replaces.ts'

const hosts = { own: '203.0.113.9:5060', names: new Set(['pbx.example']) }
const far = {
  named: { callId: 'outer@a', toTag: 't1', fromTag: 'f1' },
  party: 'platform',
  target: { uri: 'sip:2002@192.0.2.20:5070', priority: 1, weight: 1, isTrusted: true },
} as const
const farSideOf: FarSideOf = ({ callId }) => (callId === 'inner@b' ? far : undefined)
const named = 'inner@b;to-tag=1;from-tag=2'

t.test('a dialog’s name is read whatever the order of its tags', async (t) => {
  const wanted = { callId: 'inner@b', toTag: '1', fromTag: '2' }
  t.same(readReplaces(named), wanted)
  t.same(readReplaces('inner@b; from-tag=2 ;early-only; TO-TAG=1'), wanted)
  t.equal(writeReplaces(wanted), named)
  for (const bad of ['', 'inner@b', 'inner@b;to-tag=1', ';to-tag=1;from-tag=2', 'a b\u0000']) {
    t.equal(readReplaces(bad), undefined, bad)
  }
})

t.test('a Refer-To’s Replaces is found among its headers', async (t) => {
  const encoded = encodeURIComponent(named)
  t.equal(replacesIn(`<sip:2@a?Subject=x&Replaces=${encoded}>`), named)
  t.equal(replacesIn('<sip:2@a?Replaces=a+b>'), 'a+b')
  t.equal(replacesIn('<sip:2@a>'), undefined)
  t.equal(replacesIn('<sip:2@a?Replaces=%zz>'), '')
})

t.test('a call of ours is named as the far party knows it', async (t) => {
  const referTo = `<sip:2002@pbx.example?Replaces=${encodeURIComponent(named)}>`
  const onward = encodeURIComponent('outer@a;to-tag=t1;from-tag=f1')
  t.equal(
    passedReferTo(referTo, { party: 'platform', hosts, farSideOf }),
    `<sip:2002@192.0.2.20:5070?Replaces=${onward}>`,
  )
  t.equal(
    passedReferTo(referTo, { party: 'caller', hosts, farSideOf }),
    `<sip:2002@203.0.113.9:5060?Replaces=${onward}>`,
  )
})

t.test('where a transfer goes tells nothing of the other side’s machines', async (t) => {
  const passed = (referTo: string) => passedReferTo(referTo, { party: 'caller', hosts, farSideOf })
  t.equal(passed('<sip:2001@pbx.example:5070>'), '<sip:2001@203.0.113.9:5060>')
  t.equal(passed('sip:2001@10.0.0.5'), 'sip:2001@203.0.113.9:5060')
  t.equal(passed('<sip:2001@[2001:db8::5]>'), '<sip:2001@203.0.113.9:5060>')
  t.equal(passed('<sip:+12025550199@carrier.example>'), '<sip:+12025550199@carrier.example>')
  t.equal(passed('<tel:+12025550199>'), '<tel:+12025550199>')
})

t.test('whatever a REFER holds, it is passed on without a throw', async () => {
  fc.assert(
    fc.property(fc.string(), (noise) => {
      passedReferTo(`<sip:${noise}?Replaces=${noise}`, { party: 'caller', hosts, farSideOf })
      readReplaces(noise)
    }),
  )
})
