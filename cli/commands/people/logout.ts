// logout: forgets a stored login. A token that a browser login made is revoked, since nobody else has it.
import type { Me } from '../../../src/generated/rest-types.ts'
import { messageOf } from '../../../src/kernel/errors.ts'
import { connectionTo } from '../../connect/connect.ts'
import { createRest } from '../../connect/rest.ts'
import { CliError, Exit, RefusedToken, usageError } from '../../errors.ts'
import { loginNamed, readLogins, writeLogins, type StoredLogin } from '../../logins.ts'
import { newLocalCommand, type Command } from '../../options.ts'
import { pathPart } from '../../people/views.ts'
import { note, out } from '../../print.ts'

export const command = (): Command =>
  newLocalCommand('logout', 'Forget a stored login; the token of a browser login is revoked.', [
    'stagely logout',
    'stagely logout staging',
    'stagely logout --all',
  ])
    .argument('[context]', 'name of the login; the current one when absent')
    .option('--all', 'every stored login')
    .action(logout)

const logout = async (context: string | undefined, { all }: { all?: boolean }): Promise<void> => {
  if (all === true && context !== undefined) throw usageError('give a context or --all, not both')
  const logins = await readLogins()
  const name = context ?? logins.current
  if (all !== true && name === undefined) throw new CliError('nobody is logged in')
  const names = all === true ? Object.keys(logins.contexts) : [name!]
  let isEachRevoked = true
  for (const each of names) {
    const login = loginNamed(logins, each)
    if (login.byBrowser === true && !(await revoke(login))) isEachRevoked = false
    out(`Logged out of ${each}: ${login.server}`)
  }
  const left = Object.fromEntries(
    Object.entries(logins.contexts).filter(([each]) => !names.includes(each)),
  )
  const isCurrentLeft = logins.current !== undefined && !names.includes(logins.current)
  await writeLogins({ ...(isCurrentLeft && { current: logins.current }), contexts: left })
  if (!isEachRevoked) throw new Exit(1)
}

/** False where the token may still be good; says then why, and what to do. */
const revoke = async (login: StoredLogin): Promise<boolean> => {
  const { server } = login
  try {
    const rest = createRest(connectionTo(login))
    const { token } = (await rest.call<Me>('/me')).body
    await rest.call(`/tokens/${pathPart(token.id)}`, { method: 'DELETE' })
    return true
  } catch (error) {
    // The token is no longer good: there is nothing to revoke.
    if (error instanceof RefusedToken) return true
    note(`The token of ${server} could not be revoked: ${messageOf(error)}`)
    note('It is forgotten here. Revoke it there: stagely get tokens, stagely token revoke NAME')
    return false
  }
}
