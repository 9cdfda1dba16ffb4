import { open, readFile, rename, rm } from 'node:fs/promises'
import { hasCode } from '../../base/has-code.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'

/**
 * Adds a recipient to a file as `age -R` takes it, under a comment; the file is made where there is none. False where
 * it is there already. Rejects with `recipients_unwritable`.
 */
export async function addToRecipients(
  path: string,
  recipient: string,
  comment: string,
): Promise<boolean> {
  const text = await readText(path)
  if (linesOf(text).some((line) => line.trim() === recipient)) return false
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`
  await replace(path, `${before}# ${comment}\n${recipient}\n`)
  return true
}

/** Leaves a recipient in the file as a comment that says so. False where it is not there. Rejects likewise. */
export async function retireFromRecipients(
  path: string,
  recipient: string,
  comment: string,
): Promise<boolean> {
  const lines = linesOf(await readText(path))
  if (!lines.some((line) => line.trim() === recipient)) return false
  const left = lines.map((line) =>
    line.trim() === recipient ? `# ${comment}: ${recipient}` : line,
  )
  await replace(path, left.join('\n'))
  return true
}

function linesOf(text: string): readonly string[] {
  return text.split('\n')
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return ''
    throw unwritable(path, error)
  }
}

/** Gateways read the file at any moment: it is there whole, as it was or as it is. */
async function replace(path: string, text: string): Promise<void> {
  const part = `${path}.${newId()}`
  try {
    const handle = await open(part, 'wx', 0o644)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw unwritable(path, error)
  }
}

function unwritable(path: string, error: unknown): TallenneError {
  return new TallenneError(
    'recipients_unwritable',
    `The recipients in ${path} cannot be changed (${messageOf(error)}): let this user write the file and its folder.`,
    { cause: error },
  )
}
