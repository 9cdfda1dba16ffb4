/**
 * What a process said last that reads like the reason of its end: the last JSON log line of level error or
 * fatal, MariaDB's first error, else the last line that is no stack frame. Undefined where it said nothing.
 */
export function lastComplaint(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const complaints = lines.map(complaintOf)
  const logged =
    complaints.findLast((complaint) => complaint.kind === 'error') ??
    complaints.find((complaint) => complaint.kind === 'mariadb')
  const said = complaints.findLast((complaint) => complaint.kind === 'text')
  return (logged ?? said)?.text
}

function complaintOf(line: string): {
  readonly kind: 'error' | 'mariadb' | 'text' | 'other'
  text: string
} {
  if (!line.startsWith('{')) {
    // MariaDB's own levels; what follows the first error comes of it.
    if (/\[ERROR\]/.test(line)) return { kind: 'mariadb', text: line.trim().slice(0, 500) }
    const isFrame = /^\s+at |^Node\.js v|^\s*\^|^node:|^\s*[{}]/.test(line)
    return { kind: isFrame ? 'other' : 'text', text: line.trim().slice(0, 500) }
  }
  try {
    const entry: unknown = JSON.parse(line)
    if (typeof entry !== 'object' || entry === null) return { kind: 'other', text: '' }
    const level: unknown = Reflect.get(entry, 'level')
    if (level !== 'error' && level !== 'fatal') return { kind: 'other', text: '' }
    const message: unknown = Reflect.get(entry, 'msg')
    const error: unknown = Reflect.get(entry, 'err')
    const reason: unknown =
      typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined
    const told = [reason, Reflect.get(entry, 'reason'), message].find(
      (one) => typeof one === 'string',
    )
    const text = String(told ?? '')
    return { kind: 'error', text: text.slice(0, 500) }
  } catch {
    return { kind: 'other', text: '' }
  }
}
