import t from 'tap'
import { PeerPlanes } from '../../../gateway/siprec/peer-planes.ts'
import type { SessionPlane } from '../../../gateway/siprec/session-plane.ts'

function plane(): SessionPlane {
  const never = () => Promise.reject(new Error('not asked'))
  return {
    takesFurtherStreams: true,
    capabilities: { codecs: [], protocols: [], maxStreams: 0 },
    open: never,
    answered: never,
    update: never,
    renewSignalling: never,
    close: never,
    onLost: () => undefined,
  }
}

const [direct, freeswitch] = [plane(), plane()]

const at = (address: string, ...names: readonly string[]) => ({ address, names })

t.test('the first peer that an address fits tells the plane, and the rest is direct', async (t) => {
  const planes = new PeerPlanes(
    { direct, freeswitch },
    {
      peers: [
        { name: 'lab', from: ['192.0.2.7'], media: 'direct' },
        { name: 'sbc', from: ['192.0.2.0/24', '2001:db8::/32'], media: 'freeswitch' },
      ],
      srtp: 'allow',
    },
  )
  t.equal(planes.planeFor(at('192.0.2.7')), direct)
  t.equal(planes.planeFor(at('192.0.2.8')), freeswitch)
  t.equal(planes.planeFor(at('2001:db8::8')), freeswitch)
  t.equal(planes.planeFor(at('198.51.100.7')), direct)
  t.same(planes.all.length, 2)
})

t.test('a peer without addresses is every client', async (t) => {
  const planes = new PeerPlanes(
    { direct, freeswitch },
    { peers: [{ name: 'all', media: 'freeswitch' }], srtp: 'allow' },
  )
  t.equal(planes.planeFor(at('203.0.113.1')), freeswitch)
})

t.test('a plane that does not run is told at the start', async (t) => {
  t.throws(
    () =>
      new PeerPlanes({ direct }, { peers: [{ name: 'all', media: 'freeswitch' }], srtp: 'allow' }),
    {
      code: 'no_media_plane',
    },
  )
})

t.test('what is asked of a client’s protection is its peer’s, else that of all', async (t) => {
  const capabilities = { codecs: [], protocols: [], maxStreams: 0, srtp: 'allow' } as const
  const planes = new PeerPlanes(
    { direct: { ...direct, capabilities }, freeswitch },
    {
      peers: [
        { name: 'lab', from: ['192.0.2.7'], media: 'direct', srtp: 'refuse' },
        { name: 'old', from: ['192.0.2.8'], media: 'direct' },
        { name: 'elsewhere', from: ['192.0.2.9'], media: 'freeswitch' },
      ],
      srtp: 'require',
    },
  )
  t.equal(planes.capabilitiesFor(at('192.0.2.7')).srtp, 'refuse')
  t.equal(planes.capabilitiesFor(at('192.0.2.8')).srtp, 'require')
  t.equal(planes.capabilitiesFor(at('198.51.100.1')).srtp, 'require')
  t.equal(planes.capabilitiesFor(at('192.0.2.9')).srtp, undefined, 'FreeSWITCH sees to it itself')
})

t.test('a client that never pauses is told apart by its address', async (t) => {
  const planes = new PeerPlanes(
    { direct },
    {
      peers: [{ name: 'holds', from: ['192.0.2.7'], media: 'direct', inactive: 'hold' }],
      srtp: 'allow',
    },
  )
  t.equal(planes.inactiveMeans(at('192.0.2.7')), 'hold')
  t.equal(planes.inactiveMeans(at('192.0.2.8')), 'pause')
})

t.test(
  'a client is told by the names of its certificate, and by both where both are asked',
  async (t) => {
    const planes = new PeerPlanes(
      { direct, freeswitch },
      {
        peers: [
          { name: 'named', tlsNames: ['*.sbc.example.com'], media: 'freeswitch' },
          {
            name: 'both',
            from: ['192.0.2.7'],
            tlsNames: ['pbx.example.com', 'pbx2.example.com'],
            media: 'direct',
            inactive: 'hold',
          },
        ],
        srtp: 'allow',
      },
    )
    t.equal(planes.planeFor(at('198.51.100.7', 'a.sbc.example.com')), freeswitch)
    t.equal(planes.planeFor(at('198.51.100.7', 'a.b.sbc.example.com')), direct)
    t.equal(planes.planeFor(at('198.51.100.7', '*.sbc.example.com')), freeswitch)
    t.equal(planes.inactiveMeans(at('192.0.2.7', 'pbx2.example.com')), 'hold')
    t.equal(planes.inactiveMeans(at('192.0.2.7')), 'pause')
    t.equal(planes.inactiveMeans(at('192.0.2.8', 'pbx.example.com')), 'pause')
  },
)
