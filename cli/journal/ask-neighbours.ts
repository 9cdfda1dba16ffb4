import { localUrl } from '../../base/address.ts'
import type { Config } from '../../config/config.ts'
import { connectDatabase, databaseMessage, describeDatabase } from '../../storage/database.ts'
import type { DatabaseWord, GatewayWord } from './describe-journal.ts'

const ANSWER_MS = 2000

/** What the running gateway's metrics say of its journal; undefined where none answers. */
export async function askGateway({ http }: Config): Promise<GatewayWord | undefined> {
  try {
    const answer = await fetch(`${localUrl(http.gateway)}/metrics`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    return answer.ok ? readMetrics(await answer.text()) : undefined
  } catch {
    return undefined
  }
}

function readMetrics(text: string): GatewayWord {
  const value = (name: string) =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
  return {
    fault: /^tallenne_journal_blocked\{.*fault="(\w+)".*\} 1$/m.exec(text)?.[1] ?? null,
    unwritten: value('tallenne_journal_unwritten'),
    isHung: value('tallenne_journal_hung') === 1,
    refused: value('tallenne_journal_refused_total'),
  }
}

/** Whether the database takes changes now. Never rejects. */
export async function askDatabase({ database }: Config): Promise<DatabaseWord> {
  const place = describeDatabase(database)
  try {
    const connection = await connectDatabase({ ...database, connections: 1 })
    try {
      const query = 'SELECT @@global.read_only AS isReadOnly'
      const [row] = await connection.query({ sql: query, timeout: ANSWER_MS })
      return { place, problem: row.isReadOnly === 1 ? 'is read-only' : null }
    } finally {
      connection.destroy()
    }
  } catch (error) {
    // The message of ours says where it is once more.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    return { place, problem: databaseMessage(cause) }
  }
}
