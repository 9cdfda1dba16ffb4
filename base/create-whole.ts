import { link, open, rm } from 'node:fs/promises'
import { hasCode } from './has-code.ts'
import { newId } from './uuid.ts'

/**
 * Makes a file of mode 0600 whose name appears only when its content is whole. Where it is there already, nothing
 * changes. Rejects where the file system does.
 */
export async function createWhole(path: string, text: string): Promise<void> {
  const part = `${path}.${newId()}`
  const handle = await open(part, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await link(part, path).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  } finally {
    await handle.close()
    await rm(part, { force: true })
  }
}
