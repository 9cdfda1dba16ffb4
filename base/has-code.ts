/** Whether an error carries a code, as those of Node.js and of drachtio do: `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
