// Classes of SQLSTATE: which faults of Postgres pass.

/** Connections; transactions that met others; no room; somebody stops the server; a replica, or a server that is made one; a lock. */
const passing = ['08', '40', '53', '57', '25006', '55P03']

/** The same again may work: whoever asked is told "unreachable", and asks again. */
export const isPassing = (code: string): boolean =>
  passing.some((prefix) => code.startsWith(prefix))

/** What psql says with VERBOSITY=verbose: `ERROR:  25006: cannot execute …`, and a line with the place in the source. */
const coded = /^(.*?[A-Z]+:\s+)([0-9A-Z]{5}): /m
/** A server that refuses a connection tells psql no code. */
const refusedForNow =
  /too many (?:clients|connections)|connection slots|the database system is (?:starting up|shutting down|in recovery mode|not yet accepting connections)/

export const isPassingText = (text: string): boolean => {
  const code = coded.exec(text)?.[2]
  return code === undefined ? refusedForNow.test(text) : isPassing(code)
}

/** Without the code and the place, which are for programs. */
export const withoutCode = (text: string): string =>
  text
    .replace(coded, '$1')
    .replace(/^LOCATION: .*$/gm, '')
    .trim()
