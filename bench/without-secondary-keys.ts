import type { Queryable } from '../storage/database.ts'

interface Key {
  readonly name: string
  readonly columns: string
}

/** Takes the secondary keys of an empty table away, fills it, and makes the same keys again, all at once. */
export async function withoutSecondaryKeys(
  database: Queryable,
  table: string,
  fill: () => Promise<void>,
): Promise<void> {
  const keys: Key[] = await database.query(
    `SELECT INDEX_NAME AS name,
       GROUP_CONCAT(CONCAT('\`', COLUMN_NAME, '\`') ORDER BY SEQ_IN_INDEX) AS columns
     FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME <> 'PRIMARY' AND NON_UNIQUE = 1
     GROUP BY INDEX_NAME`,
    [table],
  )
  const alter = async (change: (key: Key) => string) => {
    if (keys.length > 0) await database.query(`ALTER TABLE ${table} ${keys.map(change).join(', ')}`)
  }
  await alter(({ name }) => `DROP KEY \`${name}\``)
  await fill()
  await alter(({ name, columns }) => `ADD KEY \`${name}\` (${columns})`)
}
