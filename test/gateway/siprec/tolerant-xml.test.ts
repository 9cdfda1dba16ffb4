import t from 'tap'
import { readXml } from '../../../gateway/siprec/tolerant-xml.ts'
import type { XmlElement } from '../../../gateway/siprec/xml-element.ts'

/** An element as a plain value: name, attributes, then text or children. */
function plain(element: XmlElement | null | undefined): unknown {
  if (!element) return null
  const { name, attributes, children, text } = element
  return [
    name,
    Object.fromEntries(attributes),
    ...(text === '' ? [] : [text]),
    ...children.map(plain),
  ]
}

function read(xml: string): unknown {
  return plain(readXml(xml).root)
}

t.test('elements, attributes of both quotes, references and character data are read', async (t) => {
  const xml = `<?xml version="1.0"?><!-- <x> -->
    <a b='1' C="&lt;2&gt; &#x41;&#66;&quot;"><p:d>T&amp;T</p:d><e/><f><![CDATA[<raw> & ]]></f></a>`
  t.same(read(xml), [
    'a',
    { b: '1', c: '<2> AB"' },
    ['d', {}, 'T&T'],
    ['e', {}],
    ['f', {}, '<raw> &'],
  ])
  t.same(readXml(xml).problems, [])
})

t.test('prefixes stand for the namespace that is in scope', async (t) => {
  const { root } = readXml(
    '<r xmlns="urn:r" xmlns:x="urn:x"><x:a><b xmlns="urn:b"/></x:a><y:c/></r>',
  )
  const [a, c] = root?.children ?? []
  t.same(
    [root, a, a?.children[0], c].map((element) => [element?.name, element?.namespace]),
    [
      ['r', 'urn:r'],
      ['a', 'urn:x'],
      ['b', 'urn:b'],
      ['c', ''],
    ],
  )
})

t.test('what nobody escaped is text', async (t) => {
  t.same(read('<n>Smith & Co <sip:2000@192.0.2.1>, a < b &unknown; &</n>'), [
    'n',
    {},
    'Smith & Co <sip:2000@192.0.2.1>, a < b &unknown; &',
  ])
})

t.test('unquoted attributes and stray slashes are stepped over', async (t) => {
  t.same(read('<a label=Diversion / x><b id=P2==/></a>'), [
    'a',
    { label: 'Diversion' },
    ['b', { id: 'P2==' }],
  ])
})

t.test('an element that is not closed ends with its parent', async (t) => {
  t.same(read('<a><b><c>1</a>'), ['a', {}, ['b', {}, ['c', {}, '1']]])
  const { root, problems } = readXml('<a></b><c/></a>')
  t.same(plain(root), ['a', {}, ['c', {}]])
  t.same(problems, ['an end tag that closes nothing'])
})

t.test('a document cut off keeps what was whole and no half value', async (t) => {
  t.same(read('<a><b>12</b><c>34'), ['a', {}, ['b', {}, '12'], ['c', {}]])
  t.same(read('<a><b id="12" aor="sip:+1202'), ['a', {}, ['b', { id: '12' }]])
  t.same(read('<a><b id=12'), ['a', {}, ['b', {}]])
  t.same(read('<a><b'), ['a', {}])
  t.same(readXml('<a><b>1').problems, ['metadata ends inside <b>'])
})

t.test('a document type is refused and its entities never looked at', async (t) => {
  for (const xml of ['<!DOCTYPE a><a/>', '<a><!ENTITY b "c"></a>', '<!doctype a []><a/>']) {
    t.same(readXml(xml).root, null)
    t.same(readXml(xml).problems, ['metadata with a document type is refused'])
  }
})

t.test('references to what is no character become a space', async (t) => {
  t.same(read('<a>1&#0;2&#xd800;3&#x110000;4&#10;5</a>'), ['a', {}, '1 2 3 4 5'])
})

t.test('nothing, or no element, is no root', async (t) => {
  for (const xml of ['', 'plain text', '<', '<?xml', '<!--', '&amp;'])
    t.same(readXml(xml).root, null)
})
