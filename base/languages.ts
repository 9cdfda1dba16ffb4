/** Languages that people are spoken to in, where they are not operators. */
export const LANGUAGES = ['en', 'fi', 'sv'] as const

export type Language = (typeof LANGUAGES)[number]
