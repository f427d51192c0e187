// Where Debian keeps the programs of Postgres: the newest of those that are really there. Its wrappers
// on PATH follow whatever clusters the machine once had.
import { existsSync, readdirSync } from 'node:fs'

const root = '/usr/lib/postgresql'

/** Folder with initdb, postgres and pg_dump. Throws when there is no Postgres 15 or newer. */
export const findPostgresBin = (): string => {
  const newest = readdirSync(root)
    .map(Number)
    .filter((version) => version >= 15 && existsSync(`${root}/${version}/bin/initdb`))
    .sort((a, b) => b - a)[0]
  if (newest === undefined) throw new Error('no Postgres 15 or newer; set DATABASE_URL')
  return `${root}/${newest}/bin`
}
