import type { Queryable } from '../storage/database.ts'

interface Key {
  readonly table: string
  readonly name: string
  readonly columns: string
}

/** Takes the secondary keys of empty tables away, fills them, and makes the same keys again, a table's all at once. */
export async function withoutSecondaryKeys(
  database: Queryable,
  tables: readonly string[],
  fill: () => Promise<void>,
): Promise<void> {
  const keys: Key[] = await database.query(
    `SELECT TABLE_NAME AS \`table\`, INDEX_NAME AS name,
       GROUP_CONCAT(CONCAT('\`', COLUMN_NAME, '\`') ORDER BY SEQ_IN_INDEX) AS columns
     FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (?) AND INDEX_NAME <> 'PRIMARY' AND NON_UNIQUE = 1
     GROUP BY TABLE_NAME, INDEX_NAME`,
    [tables],
  )
  for (const table of tables) {
    await alter(database, { table, keys, change: ({ name }) => `DROP KEY \`${name}\`` })
  }
  await fill()
  for (const table of tables) {
    const change = ({ name, columns }: Key) => `ADD KEY \`${name}\` (${columns})`
    await alter(database, { table, keys, change })
  }
}

async function alter(
  database: Queryable,
  {
    table,
    keys,
    change,
  }: {
    readonly table: string
    readonly keys: readonly Key[]
    readonly change: (key: Key) => string
  },
): Promise<void> {
  const changes = keys.filter((key) => key.table === table).map(change)
  if (changes.length > 0) await database.query(`ALTER TABLE ${table} ${changes.join(', ')}`)
}
