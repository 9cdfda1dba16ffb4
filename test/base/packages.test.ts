import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const read = (name: string) => JSON.parse(readFileSync(join(ROOT, name), 'utf8'))
const manifest: {
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
  readonly allowScripts: Record<string, boolean>
} = read('package.json')
const lock: {
  readonly packages: Record<
    string,
    { readonly integrity?: string; readonly hasInstallScript?: boolean; readonly link?: boolean }
  >
} = read('package-lock.json')

t.test('every dependency is of one version', async (t) => {
  const versions = { ...manifest.dependencies, ...manifest.devDependencies }
  for (const [name, version] of Object.entries(versions)) {
    t.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
  }
})

t.test('what the lock file names is known by its hash', async (t) => {
  const unknown = Object.entries(lock.packages).filter(([path, { integrity }]) => {
    return path !== '' && integrity === undefined
  })
  t.same(
    unknown.map(([path]) => path).filter((path) => !path.includes('/node_modules/@tapjs/')),
    [],
  )
})

t.test('no package runs a program at its installation but those that are named', async (t) => {
  const named = Object.keys(manifest.allowScripts)
  const running = Object.entries(lock.packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  t.ok(
    named.every((name) => running.includes(name)),
    'those that are named need it',
  )
  t.same(named.toSorted(), ['@discordjs/opus', '@ffmpeg-installer/linux-x64'])
})
