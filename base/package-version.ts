import { readFileSync } from 'node:fs'

/** The version of this program. From `build/base/` the package's own file stands two folders up. */
export function readPackageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version }: { version: string } = JSON.parse(text)
  return version
}
