import { type Json, json, operation, queryParameters } from '../openapi-operations.ts'
import {
  callPageSchema,
  callsQuerySchema,
  completenessQuerySchema,
  completenessSchema,
  discrepanciesSchema,
  importQuerySchema,
  importResultSchema,
  missingPageSchema,
  missingQuerySchema,
} from './completeness-schemas.ts'

export const COMPLETENESS_COMPONENTS = {
  CallPage: callPageSchema,
  Completeness: completenessSchema,
  Discrepancies: discrepanciesSchema,
  ImportResult: importResultSchema,
  MissingPage: missingPageSchema,
} as const

export function completenessPaths(): Json {
  return {
    '/api/completeness': {
      get: operation('getCompleteness', 'What became of the calls of a period', {
        parameters: queryParameters(completenessQuerySchema),
        answers: { 200: json('Completeness', 'The counts.') },
        problems: [400],
      }),
    },
    '/api/completeness/calls': {
      get: operation('listCalls', 'The calls of a period one by one, newest first', {
        parameters: queryParameters(callsQuerySchema),
        answers: { 200: json('CallPage', 'One page.') },
        problems: [400],
      }),
      post: {
        ...operation('importCalls', 'Takes the platform’s own list of calls', {
          parameters: queryParameters(importQuerySchema),
          answers: { 200: json('ImportResult', 'What came of it.') },
          problems: [400, 413],
        }),
        requestBody: {
          required: true,
          content: {
            'text/csv': { schema: { type: 'string' } },
            'application/json': { schema: LISTED_CALLS },
          },
        },
      },
    },
    '/api/completeness/missing': {
      get: operation('listMissingCalls', 'Listed calls that never came here, newest first', {
        parameters: queryParameters(missingQuerySchema),
        answers: { 200: json('MissingPage', 'One page.') },
        problems: [400],
      }),
    },
    '/api/completeness/discrepancies': {
      get: operation('listDiscrepancies', 'What does not agree now, the oldest first', {
        answers: { 200: json('Discrepancies', 'At most 500.') },
        problems: [400],
      }),
    },
  }
}

const text = { type: ['string', 'null'] }
const LISTED_CALLS = {
  type: 'object',
  required: ['calls'],
  properties: {
    calls: {
      type: 'array',
      maxItems: 5000,
      items: {
        type: 'object',
        required: ['startedAt'],
        properties: {
          startedAt: { type: 'string' },
          reference: text,
          callId: text,
          caller: text,
          serviceNumber: text,
          durationS: { type: ['number', 'string', 'null'] },
          answered: { type: ['boolean', 'string', 'null'] },
        },
      },
    },
  },
} as const
