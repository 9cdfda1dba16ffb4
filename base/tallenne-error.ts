/** What every error of ours carries: a stable `code` for programs, a message for people, and what caused it. */
export class TallenneError extends Error {
  readonly code: string

  /** `code` is stable and in lower snake case, for example `port_taken`; the message says where, what, and what to do. */
  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'TallenneError'
    this.code = code
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
