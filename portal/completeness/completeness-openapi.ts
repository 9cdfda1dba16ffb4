import { type Json, json, operation, pathId, queryParameters } from '../openapi-operations.ts'
import {
  callPageSchema,
  callsQuerySchema,
  completenessQuerySchema,
  completenessSchema,
  discrepanciesSchema,
  missingPageSchema,
  missingQuerySchema,
} from './completeness-schemas.ts'
import {
  importPageSchema,
  importQuerySchema,
  importResultSchema,
  importsQuerySchema,
  MAX_JSON_CALLS,
  withdrawalSchema,
} from './import-schemas.ts'

export const COMPLETENESS_COMPONENTS = {
  CallPage: callPageSchema,
  Completeness: completenessSchema,
  Discrepancies: discrepanciesSchema,
  ImportPage: importPageSchema,
  ImportResult: importResultSchema,
  MissingPage: missingPageSchema,
  Withdrawal: withdrawalSchema,
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
          problems: [400, 404, 409, 413],
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
    '/api/completeness/imports': {
      get: operation('listImports', 'Imports of the platform’s list, newest first', {
        parameters: queryParameters(importsQuerySchema),
        answers: { 200: json('ImportPage', 'One page.') },
        problems: [400],
      }),
    },
    '/api/completeness/imports/{id}': {
      delete: operation('withdrawImport', 'Withdraws an import with all that it alone brought', {
        parameters: [pathId],
        answers: { 200: json('Withdrawal', 'What went; nothing where it had gone before.') },
        problems: [400, 404],
      }),
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
      maxItems: MAX_JSON_CALLS,
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
