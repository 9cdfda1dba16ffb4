/** Keys of the configuration whose values nobody is shown. */
export const SECRET_KEYS: ReadonlySet<string> = new Set(['password', 'secret'])
