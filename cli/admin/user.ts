// user: the people who may log in. For admins of the controller.
import { openClient } from '../connect/client.ts'
import type { User, UserWithTeams } from '../../src/generated/rest-types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../options.ts'
import { pathPart, userView } from '../people/views.ts'
import { out } from '../print.ts'
import { confirm } from '../prompt.ts'
import { printRecord } from '../output/records.ts'
import { post } from '../connect/rest.ts'
import { usageError } from '../errors.ts'

export const command = (): Command =>
  newGroup('user', 'Add, change and remove users. For admins.', [
    'stagely admin user create ann --email ann@example.com',
    'stagely token create first --user ann --ttl 1h > token',
    'stagely admin user update ann --disabled',
  ]).having(createCommand, updateCommand, deleteCommand)

interface UserFlags extends CommonFlags {
  readonly email?: string
  readonly displayName?: string
  readonly admin?: boolean
  readonly disabled?: boolean
}

const bodyOf = ({ email, displayName, admin, disabled }: UserFlags): Record<string, unknown> => ({
  ...(email !== undefined && { email: email === '' ? null : email }),
  ...(displayName !== undefined && { display_name: displayName === '' ? null : displayName }),
  ...defined({ admin, disabled }),
})

const createCommand = (): Command =>
  newCommand('create -o', 'Add a user. A login by the OpenID provider adds its user by itself.', [
    'stagely admin user create ann --email ann@example.com',
    'stagely admin user create root2 --admin',
  ])
    .argument('<name>', 'login name; it never changes')
    .option('--email <address>', 'e-mail address; a login by OpenID is matched by it')
    .option('--display-name <name>', 'name to show')
    .option('--admin', 'administrator of the whole controller')
    .action(async (name: string, flags: UserFlags) => {
      const { rest } = await openClient(flags)
      const body = await post<User>(rest, '/users', { name, ...bodyOf(flags) })
      await printRecord(body, userView, flags.output, `user/${body.name} created`)
    })

const update = async (
  name: string,
  flags: CommonFlags,
  body: object,
  done: string,
): Promise<void> => {
  const { rest } = await openClient(flags)
  const path = `/users/${pathPart(name)}`
  const reply = await rest.call<User>(path, { method: 'PATCH', body })
  if (flags.output === undefined) out(`user/${reply.body.name} ${done}`)
  else await printRecord(reply.body, userView, flags.output)
}

const updateCommand = (): Command =>
  newCommand('update -o', 'Change a user: e-mail address, display name, admin, disabled.', [
    'stagely admin user update ann --admin',
    'stagely admin user update ann --disabled',
    'stagely admin user update ann --no-disabled',
  ])
    .argument('<name>', 'user, by name, e-mail address or id')
    .option('--email <address>', 'e-mail address; empty removes it')
    .option('--display-name <name>', 'name to show; empty removes it')
    .option('--admin', 'administrator of the whole controller')
    .option('--no-admin', 'no longer an admin')
    .option('--disabled', 'every token and session is refused at once')
    .option('--no-disabled', 'may log in again')
    .action((name: string, flags: UserFlags) => {
      const body = bodyOf(flags)
      if (Object.keys(body).length === 0) throw usageError('say what to change; --help shows how')
      const only = Object.keys(body).length === 1 ? flags.disabled : undefined
      const done = only === undefined ? 'updated' : only ? 'disabled' : 'enabled'
      return update(name, flags, body, done)
    })

const deleteCommand = (): Command =>
  newCommand('delete', 'Remove a user, with tokens and memberships.', [
    'stagely admin user delete ann',
    'stagely admin user delete ann --yes',
  ])
    .asking()
    .argument('<name>', 'user, by name, e-mail address or id')
    .action(remove)

const remove = async (given: string, flags: CommonFlags & { yes?: boolean }): Promise<void> => {
  const { rest } = await openClient(flags)
  const path = `/users/${pathPart(given)}`
  const { name, teams } = (await rest.call<UserWithTeams>(path)).body
  const names = teams.map(({ team }) => team)
  const where =
    names.length === 0 ? 'no team' : `team${names.length === 1 ? '' : 's'} ${names.join(', ')}`
  await confirm(
    {
      question: `Delete user ${name} (in ${where}), with every token?`,
      details: [
        `Nothing brings these back; "stagely admin user update ${name} --disabled" refuses the same tokens, and can be undone.`,
      ],
    },
    flags.yes,
  )
  await rest.call(path, { method: 'DELETE' })
  out(`user/${name} deleted`)
}
