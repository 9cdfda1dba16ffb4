import type { OpusSettings } from './bare-libopus.ts'

export const VOICES = 'cli/demo/voices'

/** What was asked for on the command line. */
export interface BenchSettings {
  readonly calls: number
  readonly seconds: number
  readonly opus: OpusSettings
}
