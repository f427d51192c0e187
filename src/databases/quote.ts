// Names and texts in statements. Only from here do they get there.

/** A name of SQL's own syntax. Postgres: no character but NUL is special in it. */
export const sqlName = (name: string): string => `"${checked(name).replaceAll('"', '""')}"`

/** A text of standard SQL; one with a backslash is written so that no setting changes what it means. */
export const sqlText = (text: string): string => {
  const quoted = `'${checked(text).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted}` : quoted
}

/** A name of MariaDB: its backticks mean the same in every mode. */
export const mariadbName = (name: string): string => `\`${checked(name).replaceAll('`', '``')}\``

/** A text of MariaDB, as hexadecimal digits: no mode changes what they mean. */
export const mariadbText = (text: string): string =>
  text === '' ? "''" : `X'${Buffer.from(checked(text), 'utf8').toString('hex')}'`

/** An argument in a line of redis-cli. */
export const redisArgument = (text: string): string =>
  `"${checked(text)
    .replace(/["\\]/g, (c) => `\\${c}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')}"`

const checked = (text: string): string => {
  if (text.includes('\0')) throw new Error('a name or text for a database holds a NUL')
  return text
}
