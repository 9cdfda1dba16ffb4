import { readdirSync, readFileSync } from 'node:fs'

/** Process ids of the decoders that this process has started and that still run (proc(5)). */
export function decoderProcessIds(): readonly number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    const [, name, state, parent] = /^\d+ \((.*)\) (\S) (\d+)/.exec(statusOf(entry)) ?? []
    const isOurs = name === 'ffmpeg' && parent === String(process.pid)
    return isOurs && state !== 'Z' ? [Number(entry)] : []
  })
}

/** Empty where it has ended meanwhile. */
function statusOf(processId: string): string {
  try {
    return readFileSync(`/proc/${processId}/stat`, 'utf8')
  } catch {
    return ''
  }
}
