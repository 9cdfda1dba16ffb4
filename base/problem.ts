import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'

/** A parameter that cannot be taken: its name, what was found, and what is expected. */
export interface ParameterMistake {
  readonly parameter: string
  /** As sent, shortened; null where it is missing. */
  readonly found: string | null
  readonly expected: string
}

export const PROBLEM_TYPE = 'application/problem+json'

/** Why a request was not served. `code` is stable and for programs, `detail` is a sentence for people. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly parameters?: readonly ParameterMistake[]
  /** Members of this kind of problem alone (RFC 9457 §3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>
}

/**
 * Sends a problem document (RFC 9457). Its type is `about:blank`, so the title is the status's own phrase
 * (§4.2.1) and `code` tells one problem from another.
 */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problemText(problem))
}

/** The document itself. */
export function problemText(problem: Problem): string {
  const { status, code, detail, parameters, extensions } = problem
  return JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    ...(parameters === undefined ? {} : { parameters }),
    ...extensions,
  })
}

/** 400 for parameters that cannot be taken. */
export function sendMistakes(
  reply: FastifyReply,
  parameters: readonly ParameterMistake[],
): FastifyReply {
  const sentences = parameters.map(
    ({ parameter, found, expected }) =>
      `${parameter}: found ${found === null ? 'nothing' : JSON.stringify(found)}, expected ${expected}.`,
  )
  return sendProblem(reply, {
    status: 400,
    code: 'invalid_parameter',
    detail: sentences.join(' '),
    parameters,
  })
}
