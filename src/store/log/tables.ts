// The tables of a backup: all, read from the catalogue, so that a new table cannot be forgotten.
import type { Queryable } from '../drivers/sql.ts'

/** The schema's own version is in the header; the feed is of use only to who has seen its beginning. */
const leftOut = ['schema_migrations', 'changes']

/** Names of tables, those that others refer to first. */
export const backupTables = async (q: Queryable): Promise<string[]> => {
  const tables = await q.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = current_schema() AND c.relkind = 'r' ORDER BY c.relname`,
  )
  const references = await q.query<{ from: string; to: string }>(
    `SELECT f.relname AS from, t.relname AS to FROM pg_constraint k
     JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
     WHERE k.contype = 'f' AND f.oid <> t.oid`,
  )
  const ordered: string[] = []
  const visit = (name: string): void => {
    if (ordered.includes(name)) return
    for (const { from, to } of references) if (from === name) visit(to)
    ordered.push(name)
  }
  for (const { name } of tables) visit(name)
  return ordered.filter((name) => !leftOut.includes(name))
}

/** Columns that take a value: all but generated ones. */
export const backupColumns = async (q: Queryable, table: string): Promise<string[]> => {
  const rows = await q.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [`"${table}"`],
  )
  return rows.map((row) => row.name)
}

/** Sequences go on after the highest number that was restored. */
export const advanceSequences = async (q: Queryable): Promise<void> => {
  const rows = await q.query<{ table: string; column: string; sequence: string }>(
    `SELECT c.relname AS table, a.attname AS column, pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS sequence
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
       AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL`,
  )
  for (const { table, column, sequence } of rows)
    await q.query(
      `SELECT setval($1::regclass, greatest((SELECT max("${column}") FROM "${table}"), 1))`,
      [sequence],
    )
}
