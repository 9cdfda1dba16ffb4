import { z } from 'zod'
import { STORED_CONTENT_TYPE } from './audio/serve-stored.ts'
import { COMPLETENESS_COMPONENTS, completenessPaths } from './completeness/completeness-openapi.ts'
import { type Json, json, operation, pathId, queryParameters, tidy } from './openapi-operations.ts'
import {
  AUDIO_FORMATS,
  audioQuerySchema,
  contactsQuerySchema,
  recordingQuerySchema,
} from './query-schemas.ts'
import { contentTypeOf } from './transcode.ts'
import {
  contactMetadataSchema,
  contactPageSchema,
  contactSchema,
  liveCallsSchema,
  orderedCallsSchema,
  problemSchema,
  recordingDetailsSchema,
  recordingSchema,
  segmentSchema,
  serviceLineSchema,
  serviceLinesSchema,
} from './view-schemas.ts'

const COMPONENTS = {
  Contact: contactSchema,
  ContactMetadata: contactMetadataSchema,
  ContactPage: contactPageSchema,
  LiveCalls: liveCallsSchema,
  OrderedCalls: orderedCallsSchema,
  Problem: problemSchema,
  Recording: recordingSchema,
  RecordingDetails: recordingDetailsSchema,
  Segment: segmentSchema,
  ServiceLine: serviceLineSchema,
  ServiceLines: serviceLinesSchema,
  ...COMPLETENESS_COMPONENTS,
} as const

/** The OpenAPI 3.1 document, made from the schemas that check what comes in and describe what goes out. */
export function openApiDocument(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tallenne',
      version,
      description:
        'Contacts, recordings and live calls of a call recording gateway. Times are ISO 8601 UTC with milliseconds. Answers may gain fields; those that are here stay.',
    },
    security: [{ bearer: [] }],
    paths: paths(),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: componentSchemas(),
    },
  }
}

function paths(): Json {
  return {
    '/api/contacts': {
      get: operation('findContacts', 'Searches contacts, newest first', {
        parameters: queryParameters(contactsQuerySchema),
        answers: { 200: json('ContactPage', 'One page.') },
        problems: [400],
      }),
    },
    '/api/contacts/{id}': {
      get: operation('getContact', 'One contact', {
        parameters: [pathId],
        answers: { 200: json('Contact', 'The contact.') },
        problems: [400, 404],
      }),
    },
    '/api/contacts/{id}/metadata': {
      get: operation('getContactMetadata', 'What recording clients said of a contact', {
        parameters: [pathId],
        answers: { 200: json('ContactMetadata', 'The documents, the oldest first.') },
        problems: [400, 404],
      }),
    },
    '/api/recordings/{id}': {
      get: operation('getRecording', 'One recording, and when it is deleted', {
        parameters: [pathId, ...queryParameters(recordingQuerySchema)],
        answers: { 200: json('RecordingDetails', 'The recording.') },
        problems: [400, 404],
      }),
    },
    '/api/recordings/{id}/audio': {
      get: audioOperation('getAudio', 'The audio of a recording: caller left, agent right'),
      head: audioOperation('headAudio', 'What `GET` would answer, without the audio'),
    },
    '/api/calls': {
      get: operation('getLiveCalls', 'Calls that go on now', {
        answers: { 200: json('LiveCalls', 'The calls.') },
        problems: [502, 504],
      }),
    },
    '/api/calls/{id}/pause': {
      post: callOrder('pauseCall', 'Pauses the recording from now on', {
        reason: {
          type: 'string',
          pattern: '^[a-z]+(-[a-z]+)*$',
          maxLength: 32,
          description: 'A word for why, as card-data.',
        },
      }),
    },
    '/api/calls/{id}/resume': {
      post: callOrder('resumeCall', 'Ends a pause of the platform’s or a party’s keys'),
    },
    '/api/calls/{id}/stop': {
      post: callOrder('stopCall', 'Ends the recording while the call goes on'),
    },
    '/api/calls/{id}/annotate': {
      post: callOrder('annotateCall', 'Keeps notes with the contact', {
        notes: {
          type: 'object',
          maxProperties: 32,
          additionalProperties: { type: ['string', 'null'], maxLength: 1024 },
          description: 'Texts by names of your own; null takes one away.',
        },
      }),
    },
    ...completenessPaths(),
    '/api/service-lines': {
      get: operation('getServiceLines', 'Service lines with their numbers and periods', {
        answers: { 200: json('ServiceLines', 'The lines as configured, the catch-all last.') },
        problems: [],
      }),
    },
  }
}

function callOrder(
  operationId: string,
  summary: string,
  properties?: Readonly<Record<string, Json>>,
): Json {
  return {
    ...operation(operationId, summary, {
      parameters: [pathCall],
      answers: { 200: json('OrderedCalls', 'The calls that the order was for.') },
      problems: [400, 404, 409, 502, 504],
    }),
    ...(properties && {
      requestBody: {
        required: false,
        content: { 'application/json': { schema: { type: 'object', properties } } },
      },
    }),
  }
}

function audioOperation(operationId: string, summary: string): Json {
  const types = AUDIO_FORMATS.map((format) =>
    format === 'ogg' ? STORED_CONTENT_TYPE : contentTypeOf(format),
  )
  return operation(operationId, summary, {
    parameters: [
      pathId,
      ...queryParameters(audioQuerySchema),
      ...['Range', 'If-Range', 'If-None-Match', 'If-Match'].map((name) => ({
        name,
        in: 'header',
        required: false,
        description: 'As in RFC 9110; with `format=ogg` alone.',
        schema: { type: 'string' },
      })),
    ],
    answers: {
      200: {
        description: 'The whole recording.',
        content: Object.fromEntries(types.map((type) => [type, {}])),
      },
      206: {
        description: 'The bytes asked for.',
        content: { [STORED_CONTENT_TYPE]: {}, 'multipart/byteranges': {} },
      },
      304: { description: 'The version that the client has.' },
    },
    problems: [400, 404, 409, 410, 412, 416],
  })
}

const pathCall = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of a contact, or a SIP Call-ID.',
  schema: { type: 'string' },
}

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => tidy(jsonSchema),
  })
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $id, $schema, ...schema }]) => [name, schema]),
  )
}
