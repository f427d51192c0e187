// Steps of Postgres by `psql` in the container. Statements and passwords go in by its standard input: they are in no
// argument and in no variable.
import type * as z from 'zod'
import { isPasswordOf } from '../../src/databases/scram.ts'
import {
  postgresParams,
  runPostgresStep,
  type PostgresSession,
} from '../../src/databases/postgres.ts'
import { sqlText } from '../../src/databases/quote.ts'
import { isPassingText, withoutCode } from '../../src/databases/sqlstate.ts'
import { nameParam, passwordParam, StepFault, type Login } from '../../src/databases/step.ts'
import { isMissing, type DatabaseContainer, type Ran } from './container.ts'
import { createPlugin } from './plugin.ts'

const params = postgresParams.extend({
  /** Login of the administrator by the local socket; POSTGRES_USER of the container when absent. */
  adminUser: nameParam.optional(),
  /** Where the local socket wants a password. */
  adminPassword: passwordParam.optional(),
})

/** A step must not wait for a lock: it is asked for again. */
const limits = "set statement_timeout = '10s'; set lock_timeout = '5s';\n"
const environment = [
  // No file can have this path: psql warns of one that is there and is no plain file.
  ...['PGCONNECT_TIMEOUT=5', 'PGAPPNAME=stagely', 'PGPASSFILE=/dev/null/none'],
  ...['PGHOST=', 'PGHOSTADDR=', 'PGPASSWORD=', 'PGOPTIONS='],
]
const flags = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose']
/** What psql ends with: it could not connect, or a statement failed. */
const notConnected = 2

interface Connection {
  readonly user: string
  readonly database: string
  readonly host?: string
  /** psql asks for it first, on the terminal or, where there is none, on its standard input. */
  readonly password?: string | undefined
}

const psql = async (
  container: DatabaseContainer,
  { user, database, host, password }: Connection,
  statements: string,
): Promise<Ran> => {
  const command = [
    ...['psql', ...flags, '-U', user, '-d', connectionText(database)],
    ...(host === undefined ? [] : ['-h', host]),
    password === undefined ? '-w' : '-W',
  ]
  const input = `${password === undefined ? '' : `${password}\n`}${limits}${statements}\n`
  const ran = await container.run(command, input, environment)
  if (isMissing(ran)) throw await container.missing('the container has no psql')
  return ran
}

/** psql takes a name with "=" for a whole connection string. */
const connectionText = (database: string): string =>
  `dbname='${database.replace(/['\\]/g, (c) => `\\${c}`)}'`

/** Whether the server takes connections at all. */
const checkAnswers = async (container: DatabaseContainer, host: string[]): Promise<void> => {
  const { exitCode } = await container.run(
    ['pg_isready', '-q', '-t', '5', ...host],
    '',
    environment,
  )
  if (exitCode !== 0)
    throw new StepFault(
      'Unreachable',
      `Postgres does not take connections${host.length === 0 ? '' : ' on the address of its container'}`,
    )
}

/** One query as JSON: psql prints nothing else, whatever is in a value. */
const asJson = (query: string): string =>
  `select coalesce(json_agg(row_to_json(found)), '[]')::text from (${query}) as found;`

const kindOf = ({ stderr }: Ran): 'Unreachable' | 'Failed' =>
  isPassingText(stderr) ? 'Unreachable' : 'Failed'

const rowsOf = ({ stdout }: Ran): readonly never[] => JSON.parse(stdout.trim()) as never[]

const sessionIn = (
  container: DatabaseContainer,
  { database: own, adminUser, adminPassword }: z.infer<typeof params>,
): PostgresSession => {
  const user = adminUser ?? container.variable('POSTGRES_USER') ?? 'postgres'
  const asAdmin = async (statements: string, database = own): Promise<Ran> => {
    const connection = { user, database, password: adminPassword }
    let ran = await psql(container, connection, statements)
    if (ran.exitCode === notConnected) {
      await checkAnswers(container, [])
      // It may have been starting just then.
      ran = await psql(container, connection, statements)
    }
    if (ran.exitCode === 0) return ran
    const what =
      ran.exitCode === notConnected
        ? `the administrator ${user} cannot log in by the local socket; name adminRef where it wants a password`
        : 'Postgres refuses a statement'
    throw new StepFault(kindOf(ran), `${what}: ${withoutCode(ran.stderr)}`)
  }
  const rows: PostgresSession['rows'] = async (query, database) =>
    rowsOf(await asAdmin(asJson(query), database))
  return {
    needsPassword: adminPassword !== undefined,
    rows,
    run: async (statements) => {
      await asAdmin(
        ['begin', ...statements, 'commit'].map((statement) => `${statement};`).join('\n'),
      )
    },
    loginRows: async (login, query) => {
      const { address: host } = container
      if (host === undefined)
        throw new StepFault(
          'Failed',
          'the container has no address of its own, where a password could be tried: give its service a network',
        )
      const connection = { user: login.username, database: own, host, password: login.password }
      let ran = await psql(container, connection, asJson(query))
      if (ran.exitCode === notConnected) {
        await checkAnswers(container, ['-h', host])
        if (await isRefusable(rows, login)) return undefined
        ran = await psql(container, connection, asJson(query))
      }
      if (ran.exitCode === 0) return rowsOf(ran)
      if (ran.exitCode !== notConnected)
        throw new StepFault(
          kindOf(ran),
          `${login.username} logs in, but: ${withoutCode(ran.stderr)}`,
        )
      throw new StepFault(
        kindOf(ran),
        `${login.username} cannot log in with a password that is right: ${withoutCode(ran.stderr)}`,
      )
    },
  }
}

/** Why a login failed is asked of the catalog: words of an error are of any language. */
const isRefusable = async (rows: PostgresSession['rows'], login: Login): Promise<boolean> => {
  const [role] = await rows<{ login: boolean; stored: string | null }>(
    `select rolcanlogin and coalesce(rolvaliduntil > now(), true) as login, rolpassword as stored
     from pg_authid where rolname = ${sqlText(login.username)}`,
  )
  return role === undefined || !role.login || !isPasswordOf(role.stored, login)
}

export const postgresPlugin = createPlugin({
  params,
  values: ({ login, adminPassword }) => [login?.password, adminPassword],
  run: (step, given, container) => runPostgresStep(step, given, sessionIn(container, given)),
})
