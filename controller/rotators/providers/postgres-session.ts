// Steps of Postgres over the network: by a driver, over TLS that is verified, to an address that the gate has admitted.
import { isIP } from 'node:net'
import { Client, DatabaseError } from 'pg'
import { defined } from '../../../src/kernel/defined.ts'
import { messageOf, StagelyError } from '../../../src/kernel/errors.ts'
import {
  postgresParams,
  runPostgresStep,
  type PostgresSession,
} from '../../../src/databases/postgres.ts'
import { isPassing } from '../../../src/databases/sqlstate.ts'
import { StepFault, type Login } from '../../../src/databases/step.ts'
import type { Egress } from '../../egress/gate.ts'
import type { LoginRotator } from './login.ts'

export interface PostgresAt {
  readonly host: string
  readonly port: number
  readonly admin: Login
  /** Certificates (PEM) that sign that of the server; those that are trusted otherwise when absent. */
  readonly ca: string | undefined
}

const limitMs = 10_000
/** Of SQLSTATE: a login is not accepted. */
const refusedClass = '28'

const connect = async (
  egress: Egress,
  { host, port, ca }: PostgresAt,
  { login, database }: { readonly login: Login; readonly database: string },
): Promise<Client> => {
  const address = await egress.admit({ host, port }).catch((error: unknown) => {
    throw error instanceof StagelyError
      ? new StepFault(error.reason === 'Forbidden' ? 'Failed' : 'Unreachable', error.message)
      : error
  })
  const client = new Client({
    host: address,
    port,
    database,
    user: login.username,
    password: login.password,
    ssl: {
      ...defined({ ca }),
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: true,
    },
    connectionTimeoutMillis: limitMs,
    query_timeout: limitMs,
    statement_timeout: limitMs,
    lock_timeout: limitMs / 2,
    application_name: 'stagely',
  })
  // A connection that breaks tells it by the query that runs.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** No part of a statement, nor of a value, is in the message of a failure of the server. */
export const postgresFaultOf = (at: Pick<PostgresAt, 'host' | 'port'>, error: unknown): unknown => {
  if (error instanceof StepFault) return error
  const place = `${at.host}:${at.port}`
  if (!(error instanceof DatabaseError))
    return new StepFault('Unreachable', `${place} does not answer: ${messageOf(error)}`)
  const { code = '' } = error
  return new StepFault(
    isPassing(code) ? 'Unreachable' : 'Failed',
    `${place} says: ${error.message}`,
  )
}

const sessionAt = (egress: Egress, at: PostgresAt, own: string): PostgresSession => {
  const once = async <T>(
    to: { readonly login: Login; readonly database: string },
    work: (client: Client) => Promise<T>,
  ): Promise<T> => {
    const client = await connect(egress, at, to)
    try {
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  const admin = async <T>(work: (client: Client) => Promise<T>, database = own): Promise<T> => {
    try {
      return await once({ login: at.admin, database }, work)
    } catch (error) {
      throw postgresFaultOf(at, error)
    }
  }
  return {
    needsPassword: true,
    rows: <T>(query: string, database?: string) =>
      admin(async (client) => (await client.query(query)).rows as T[], database),
    run: async (statements) => {
      await admin((client) => client.query(['begin', ...statements, 'commit'].join(';\n')))
    },
    loginRows: async <T>(login: Login, query: string) => {
      try {
        return await once(
          { login, database: own },
          async (client) => (await client.query(query)).rows as T[],
        )
      } catch (error) {
        if (error instanceof DatabaseError && error.code?.startsWith(refusedClass) === true)
          return undefined
        throw postgresFaultOf(at, error)
      }
    },
  }
}

export const postgresOverNetwork =
  (egress: Egress, at: PostgresAt, params: Record<string, unknown>): LoginRotator['ask'] =>
  ({ step }) => {
    const read = postgresParams.safeParse(params)
    if (!read.success)
      throw new StepFault(
        'Failed',
        `what the step needs is not right: ${read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
      )
    return runPostgresStep(step, read.data, sessionAt(egress, at, read.data.database))
  }
