import { databaseMessage, type Queryable } from '../database.ts'

const TRIGGERS = [
  { name: 'audit_trail_keeps_rows', event: 'DELETE' },
  { name: 'audit_trail_keeps_words', event: 'UPDATE' },
] as const

/**
 * Has the server itself refuse to change or delete rows of the trail. Undefined where it does from now on, else why
 * not: a server with a binary log lets only its administrator make triggers.
 */
export async function guardAudit(database: Queryable): Promise<string | undefined> {
  if (await isAuditGuarded(database)) return undefined
  try {
    for (const { name, event } of TRIGGERS) {
      await database.query(
        `CREATE TRIGGER IF NOT EXISTS ${name} BEFORE ${event} ON audit_trail FOR EACH ROW
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Rows of the audit trail are never changed or deleted.'`,
      )
    }
    return undefined
  } catch (error) {
    return databaseMessage(error)
  }
}

/** Whether both triggers are in place. A user without the right to see them is told that they are not. */
export async function isAuditGuarded(database: Queryable): Promise<boolean> {
  const [row] = await database.query(
    `SELECT COUNT(*) AS found FROM information_schema.triggers
     WHERE trigger_schema = DATABASE() AND event_object_table = 'audit_trail' AND trigger_name IN (?)`,
    [TRIGGERS.map(({ name }) => name)],
  )
  return row.found === TRIGGERS.length
}
