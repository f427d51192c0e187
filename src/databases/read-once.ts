// What images of databases read when they make their data folder, and never again.

const keys = new Set([
  ...['POSTGRES_PASSWORD', 'POSTGRES_USER', 'MYSQL_ROOT_PASSWORD', 'MYSQL_PASSWORD'],
  ...['MARIADB_ROOT_PASSWORD', 'MARIADB_PASSWORD', 'MONGO_INITDB_ROOT_PASSWORD'],
])

/** The first value is the right one: a new one changes nothing in the database. */
export const isReadOnce = (key: string): boolean => keys.has(key.replace(/_FILE$/, ''))

/** How to change such a value. A new value in Stagely alone locks out the services that get it. */
export const readOnceRemedy = (key: string): string =>
  `a database reads ${key} only while its data folder is empty: let a Rotation change the password in both places (docs: tour-rotation)`
