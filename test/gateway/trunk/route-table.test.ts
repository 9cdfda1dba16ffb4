import t from 'tap'
import { trunkSchema } from '../../../config/trunk-config.ts'
import { RouteTable } from '../../../gateway/trunk/route-table.ts'

const at = (address: string, ...names: readonly string[]) => ({ address, names })

const targets = [{ uri: 'sip:192.0.2.20' }]

function tableOf(...routes: object[]): RouteTable {
  return new RouteTable(trunkSchema.parse({ routes }).routes)
}

t.test(
  'an exact number goes before a prefix, and a longer prefix before a shorter one',
  async (t) => {
    const table = tableOf(
      { name: 'any', targets },
      { name: 'short', prefixes: ['+1202'], targets },
      { name: 'long', prefixes: ['+120255501'], targets },
      { name: 'exact', numbers: ['+12025550100'], targets },
    )
    const nameFor = (dialled: string) => table.find({ caller: at('192.0.2.1'), dialled })?.name
    t.equal(nameFor('+12025550100'), 'exact')
    t.equal(nameFor('+12025550101'), 'long')
    t.equal(nameFor('+12029999999'), 'short')
    t.equal(nameFor('4001'), 'any')
  },
)

t.test('a route takes calls only from the addresses that it names', async (t) => {
  const table = tableOf({ name: 'carrier', from: ['192.0.2.0/24', '2001:db8::/32'], targets })
  const from = (address: string) =>
    table.find({ caller: at(address), dialled: '+12025550100' })?.name
  t.equal(from('192.0.2.77'), 'carrier')
  t.equal(from('2001:db8::7'), 'carrier')
  t.equal(from('198.51.100.1'), undefined)
  t.equal(from('2001:db9::7'), undefined)
})

t.test('a call that no route names has none', async (t) => {
  const table = tableOf({ name: 'one', numbers: ['+12025550100'], targets })
  t.equal(table.find({ caller: at('192.0.2.1'), dialled: '+12025550199' }), undefined)
})

t.test('a route takes calls only from whom a certificate names', async (t) => {
  const table = tableOf({ name: 'carrier', tlsNames: ['sbc.example.com'], targets })
  const by = (...names: readonly string[]) => {
    return table.find({ caller: at('192.0.2.77', ...names), dialled: '+12025550100' })?.name
  }
  t.equal(by('other.example.com', 'sbc.example.com'), 'carrier')
  t.equal(by('other.example.com'), undefined)
  t.equal(by(), undefined)
})
