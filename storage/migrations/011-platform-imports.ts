import type { Migration } from './migration.ts'

const TABLE = 'ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

/**
 * Which import brought which listed calls, so that a wrong one can be withdrawn whole: a call stays as long as any import
 * lists it.
 *
 * Calls that are there already came in parts, seconds apart; those with less than a minute between them become one
 * import, with the id of its first call.
 */
export const platformImports: Migration = {
  version: 11,
  name: 'imports of the platform’s lists',
  statements: [
    `CREATE TABLE IF NOT EXISTS platform_imports (
      id UUID NOT NULL PRIMARY KEY,
      list VARCHAR(64) NOT NULL COMMENT 'whose list',
      imported_at DATETIME(3) NOT NULL,
      imported_by VARCHAR(255) NULL COMMENT 'null of imports from before this table',
      withdrawn_at DATETIME(3) NULL,
      withdrawn_by VARCHAR(255) NULL,
      KEY by_time (imported_at, id)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS platform_call_imports (
      import_id UUID NOT NULL,
      platform_call_id UUID NOT NULL,
      PRIMARY KEY (import_id, platform_call_id),
      KEY by_call (platform_call_id, import_id)
    ) ${TABLE}`,

    `INSERT IGNORE INTO platform_call_imports (import_id, platform_call_id)
      SELECT FIRST_VALUE(id) OVER (PARTITION BY list, import_number ORDER BY imported_at, id), id
      FROM (
        SELECT id, list, imported_at,
          SUM(begins) OVER (PARTITION BY list ORDER BY imported_at, id) AS import_number
        FROM (
          SELECT id, list, imported_at, COALESCE(imported_at >
            LAG(imported_at) OVER (PARTITION BY list ORDER BY imported_at, id) + INTERVAL 1 MINUTE, 1) AS begins
          FROM platform_calls
        ) told
      ) numbered`,

    `INSERT IGNORE INTO platform_imports (id, list, imported_at)
      SELECT l.import_id, MIN(p.list), MIN(p.imported_at)
      FROM platform_call_imports l JOIN platform_calls p ON p.id = l.platform_call_id
      GROUP BY l.import_id`,
  ],
}
