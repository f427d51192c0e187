// Steps of MariaDB by `mariadb` in the container. Passwords and statements go in by the standard input of a shell, which
// gives the password to the program as a file that exists only between the two.
import type * as z from 'zod'
import {
  mariadbParams,
  runMariadbStep,
  wouldAccept,
  type MariadbSession,
} from '../../src/databases/mariadb.ts'
import {
  isOneLine,
  nameParam,
  passwordParam,
  StepFault,
  type StepFaultKind,
} from '../../src/databases/step.ts'
import { isMissing, type DatabaseContainer, type Ran } from './container.ts'
import { createPlugin } from './plugin.ts'

const params = mariadbParams.extend({
  /** Login of the administrator; root when absent. */
  adminUser: nameParam.optional(),
  /** That with which the container was made when absent. */
  adminPassword: passwordParam.optional(),
})
type Params = z.infer<typeof params>

/** Numbers of errors are the same in all languages: no server there, it ends, or it ended in between. */
const noConnection = /^ERROR (?:2002|2003|2006|2013|1053)\b/m
const kindOf = ({ stderr }: Ran): StepFaultKind =>
  noConnection.test(stderr) ? 'Unreachable' : 'Failed'

/** The password is a line of its own before the statements; the shell reads no more than that line. */
const script = `IFS= read -r password
for program in mariadb mysql; do
  command -v $program >/dev/null && exec $program --defaults-extra-file=/dev/fd/3 "$@" 3<<END
[client]
password="$password"
END
done
exit 127`

const flags = ['--batch', '--skip-column-names', '--skip-ssl', '--connect-timeout=5']

/** Nothing waits for a lock, nor goes on long after its step was cut. MySQL takes the last part for a comment. */
const limits =
  'set session lock_wait_timeout = 5, innodb_lock_wait_timeout = 5 /*!100000 , max_statement_time = 10 */'

const mariadb = async (
  container: DatabaseContainer,
  { args, password }: { readonly args: readonly string[]; readonly password: string },
  statements: readonly string[],
): Promise<Ran> => {
  const escaped = password.replace(/["\\]/g, (c) => `\\${c}`)
  const input = [escaped, ...statements.map((statement) => `${statement};`), ''].join('\n')
  const command = ['/bin/sh', '-c', script, 'sh', ...flags, ...args]
  const ran = await container.run(command, input, ['MYSQL_PWD=', 'MYSQL_HOST='])
  if (isMissing(ran))
    throw await container.missing('the container has neither mariadb nor a shell that finds it')
  return ran
}

const passwordOf = (container: DatabaseContainer, { adminPassword }: Params): string => {
  const found =
    adminPassword ??
    container.variable('MARIADB_ROOT_PASSWORD') ??
    container.variable('MYSQL_ROOT_PASSWORD') ??
    ''
  if (isOneLine(found)) return found
  throw new StepFault('Failed', 'the root password in the environment holds a line break')
}

const sessionIn = (container: DatabaseContainer, given: Params): MariadbSession => {
  const user = given.adminUser ?? 'root'
  const asAdmin = async (statements: readonly string[]): Promise<Ran> => {
    const login = { args: ['-u', user], password: passwordOf(container, given) }
    const ran = await mariadb(container, login, [limits, ...statements])
    if (ran.exitCode === 0) return ran
    const kind = kindOf(ran)
    const what =
      kind === 'Unreachable'
        ? 'MariaDB does not take connections; it may be starting'
        : `MariaDB does not do it for ${user} by the local socket; name adminRef where it has another password`
    throw new StepFault(kind, `${what}: ${ran.stderr.trim()}`)
  }
  const texts: MariadbSession['texts'] = async (...queries) =>
    (await asAdmin(queries)).stdout.split('\n').filter((line) => line !== '')
  return {
    texts,
    run: async (statements) => {
      await asAdmin(statements)
    },
    logIn: async (login) => {
      const { address } = container
      if (address === undefined)
        throw new StepFault(
          'Failed',
          'the container has no address of its own, where a password could be tried: give its service a network',
        )
      const args = ['-u', login.username, '-h', address, '-D', given.database]
      const ran = await mariadb(container, { args, password: login.password }, ['select 1'])
      if (ran.exitCode === 0) return true
      // Why a login failed is asked of the server: words of an error are of any language.
      if (!(await wouldAccept({ texts }, login))) return false
      throw new StepFault(
        kindOf(ran),
        `${login.username} cannot log in with a password that is right: ${ran.stderr.trim()}`,
      )
    },
  }
}

export const mariadbPlugin = createPlugin({
  params,
  values: ({ login, adminPassword }) => [login?.password, adminPassword],
  run: (step, given, container) => runMariadbStep(step, given, sessionIn(container, given)),
})
