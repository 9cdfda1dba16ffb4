/** A value as Grafana shows it in a unit, short. */
export function formatValue(value: number, unit: string, decimals?: number): string {
  if (!Number.isFinite(value)) return '–'
  switch (unit) {
    case 'percentunit':
      return `${trimmed(value * 100, decimals ?? 1)} %`
    case 's':
      return formatSeconds(value)
    case 'bytes':
      return formatBytes(value)
    case 'bool_yes_no':
      return value > 0 ? 'yes' : 'no'
    default:
      return trimmed(value, decimals ?? (Math.abs(value) < 10 ? 2 : 0))
  }
}

function formatSeconds(seconds: number): string {
  if (seconds === 0) return '0 s'
  if (Math.abs(seconds) < 1) return `${trimmed(seconds * 1000, 1)} ms`
  if (Math.abs(seconds) < 120) return `${trimmed(seconds, 1)} s`
  return `${trimmed(seconds / 60, 1)} min`
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let power = 0
  while (power < units.length - 1 && bytes / 1024 ** power >= 1024) power++
  return `${trimmed(bytes / 1024 ** power, power > 2 ? 1 : 0)} ${units[power]}`
}

function trimmed(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)))
}
