import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { openApiDocument } from '../../portal/openapi.ts'
import { answerValidator, validated } from './answer-validator.ts'
import { startTestPortal } from './portal.ts'

const portal = await startTestPortal()
t.teardown(() => portal.close())
const validate = await answerValidator(portal.url)

async function ask(path: string, documented: string) {
  const response = await portal.ask(path)
  return {
    ...(await validated(validate, response, documented)),
    language: response.headers.get('content-language'),
  }
}

t.test('the document names every route with its parameters', async (t) => {
  const response = await fetch(`${portal.url}/openapi.json`)
  t.match(response.headers.get('content-type'), /^application\/json/)
  const document = JSON.parse(await response.text())
  t.same(document, openApiDocument('0.0.0'))
  t.equal(document.openapi, '3.1.0')
  t.same(Object.keys(document.paths), [
    '/api/contacts',
    '/api/contacts/{id}',
    '/api/contacts/{id}/metadata',
    '/api/recordings/{id}',
    '/api/recordings/{id}/audio',
    '/api/calls',
    '/api/calls/{id}/pause',
    '/api/calls/{id}/resume',
    '/api/calls/{id}/stop',
    '/api/calls/{id}/annotate',
    '/api/completeness',
    '/api/completeness/calls',
    '/api/completeness/imports',
    '/api/completeness/imports/{id}',
    '/api/completeness/missing',
    '/api/completeness/discrepancies',
    '/api/service-lines',
  ])
  const { parameters } = document.paths['/api/contacts'].get
  t.same(
    parameters.map(({ name }: { name: string }) => name),
    'callId caller serviceNumber serviceLine agent platformReference from to cursor limit'.split(
      ' ',
    ),
  )
  t.match(parameters.at(-1), {
    in: 'query',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
  })
  const references = JSON.stringify(document).match(/#\/components\/schemas\/\w+/g) ?? []
  for (const reference of new Set(references)) {
    t.ok(document.components.schemas[reference.split('/').at(-1) ?? ''], reference)
  }
})

t.test('a recording and service lines are as the document says', async (t) => {
  const { recordingId, contactId } = await portal.addRecording(Buffer.from('OggS'))
  const recording = await ask(`/api/recordings/${recordingId}`, '/api/recordings/{id}')
  t.match(recording, {
    status: 200,
    wrong: undefined,
    language: 'en',
    body: {
      recording: { id: recordingId, bytes: 4 },
      contactId,
      serviceLine: 'asiakastuki',
      deletion: null,
      explanation: { fate: /^(planned|due)$/, language: 'en', text: /asiakastuki/ },
    },
  })
  for (const [query, header, language] of [
    ['?lang=sv', 'fi', 'sv'],
    ['', 'fi-FI,en;q=0.5', 'fi'],
    ['', 'de', 'en'],
  ] as const) {
    const response = await portal.ask(`/api/recordings/${recordingId}${query}`, {
      headers: { 'accept-language': header },
    })
    t.equal(response.headers.get('content-language'), language)
    t.match(await response.json(), { explanation: { language } })
  }
  t.match(await ask(`/api/recordings/${newId()}`, '/api/recordings/{id}'), {
    status: 404,
    wrong: undefined,
  })
  t.match(await ask(`/api/recordings/${recordingId}?lang=de`, '/api/recordings/{id}'), {
    status: 400,
    wrong: undefined,
  })
  t.same(await ask('/api/service-lines', '/api/service-lines'), {
    status: 200,
    language: null,
    wrong: undefined,
    body: {
      items: [
        {
          name: 'asiakastuki',
          numbers: ['+12025550100'],
          period: 'P2M',
          timeZone: 'Europe/Helsinki',
          isCatchAll: false,
        },
        {
          name: 'puhelunvalitys',
          numbers: ['+12025550101'],
          period: 'P6M',
          timeZone: 'Europe/Helsinki',
          isCatchAll: false,
        },
        {
          name: 'tunnistamaton',
          numbers: [],
          period: null,
          timeZone: 'Europe/Helsinki',
          isCatchAll: true,
        },
      ],
    },
  })
})
