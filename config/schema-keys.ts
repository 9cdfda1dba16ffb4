import type { z } from 'zod'
import type { ConfigPath } from './mistake.ts'

/** The keys that a schema allows at a path; none where the path leads to no mapping. */
export function keysAt(schema: z.core.$ZodType, path: ConfigPath): string[] {
  let current: z.core.$ZodType | undefined = unwrap(schema)
  for (const step of path) {
    current = current && below(current, step)
  }
  return current && isObject(current) ? Object.keys(current._zod.def.shape) : []
}

function below(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  if (isArray(schema)) return unwrap(schema._zod.def.element)
  if (!isObject(schema)) return undefined
  const next = schema._zod.def.shape[step]
  return next && unwrap(next)
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let current = schema
  while (isWrapper(current)) current = current._zod.def.innerType
  return current
}

function isObject(schema: z.core.$ZodType): schema is z.core.$ZodObject {
  return schema._zod.def.type === 'object'
}

function isArray(schema: z.core.$ZodType): schema is z.core.$ZodArray {
  return schema._zod.def.type === 'array'
}

function isWrapper(
  schema: z.core.$ZodType,
): schema is z.core.$ZodOptional | z.core.$ZodNullable | z.core.$ZodDefault | z.core.$ZodPrefault {
  return ['optional', 'nullable', 'default', 'prefault'].includes(schema._zod.def.type)
}
