// Sets a database back to what it held before, as a promoted standby does that had not received the newest commits. Whoever
// is connected stays connected.
import { backupColumns, backupTables } from '../../../src/store/log/tables.ts'
import type { Queryable, Sql } from '../../../src/store/drivers/sql.ts'

const tablesOf = async (tx: Queryable): Promise<readonly (readonly [string, string])[]> => {
  const tables = [...(await backupTables(tx)), 'changes']
  return Promise.all(
    tables.map(async (table) => {
      const columns = await backupColumns(tx, table)
      return [table, columns.map((column) => `"${column}"`).join(', ')] as const
    }),
  )
}

/** Keeps all rows; the result puts them back. */
export const keepForLater = async (sql: Sql): Promise<() => Promise<void>> => {
  const tables = await sql.transaction(tablesOf)
  await sql.transaction(async (tx) => {
    await tx.exec('CREATE SCHEMA before')
    for (const [name] of tables) await tx.exec(`CREATE TABLE before."${name}" AS TABLE "${name}"`)
  })
  return () =>
    sql.transaction(async (tx) => {
      await tx.exec('SET LOCAL session_replication_role = replica')
      // Nobody commits meanwhile.
      await tx.exec('SELECT FROM counters FOR UPDATE')
      for (const [name] of tables) await tx.exec(`DELETE FROM "${name}"`)
      for (const [name, columns] of tables)
        await tx.exec(
          `INSERT INTO "${name}" (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM before."${name}"`,
        )
      await tx.exec('DROP SCHEMA before CASCADE')
    })
}
