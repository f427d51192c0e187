// user: the people who may log in. For admins of the controller.
import type { User, UserWithTeams } from '../../../src/generated/rest-types.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../../options.ts'
import { pathPart, userView } from '../../people/views.ts'
import { out } from '../../print.ts'
import { confirm } from '../../prompt.ts'
import { printRecord, printRecords } from '../../output/records.ts'
import { openRest, post } from '../../connect/rest.ts'
import { usageError } from '../../errors.ts'

export const command = (): Command =>
  newGroup('user', 'Add, list, change and remove users. For admins.', [
    'stagely user create ann --email ann@example.com',
    'stagely token create first --user ann --ttl 1h > token',
    'stagely user disable ann',
  ]).having(
    createCommand,
    listCommand,
    updateCommand,
    deleteCommand,
    () => switchCommand('disable', true, 'Disable a user: every token is refused at once.'),
    () => switchCommand('enable', false, 'Enable a disabled user again.'),
  )

interface UserFlags extends CommonFlags {
  readonly email?: string
  readonly displayName?: string
  readonly admin?: boolean
}

const bodyOf = ({ email, displayName, admin }: UserFlags): Record<string, unknown> => ({
  ...(email !== undefined && { email: email === '' ? null : email }),
  ...(displayName !== undefined && { display_name: displayName === '' ? null : displayName }),
  ...defined({ admin }),
})

const createCommand = (): Command =>
  newCommand('create -o', 'Add a user. A login by the OpenID provider adds its user by itself.', [
    'stagely user create ann --email ann@example.com',
    'stagely user create root2 --admin',
  ])
    .argument('<name>', 'login name; it never changes')
    .option('--email <address>', 'e-mail address; a login by OpenID is matched by it')
    .option('--display-name <name>', 'name to show')
    .option('--admin', 'administrator of the whole controller')
    .action(async (name: string, flags: UserFlags) => {
      const rest = await openRest(flags)
      const body = await post<User>(rest, '/users', { name, ...bodyOf(flags) })
      await printRecord(body, userView, flags.output, `user/${body.name} created`)
    })

const listCommand = (): Command =>
  newCommand('list -o', 'List the users.', [
    'stagely user list',
    'stagely user list -o wide',
  ]).action(async (flags: CommonFlags) => {
    const rest = await openRest(flags)
    await printRecords(await rest.list<User>('/users', 'users'), userView, flags.output)
  })

const update = async (
  name: string,
  flags: CommonFlags,
  body: object,
  done = 'updated',
): Promise<void> => {
  const rest = await openRest(flags)
  const path = `/users/${pathPart(name)}`
  const reply = await rest.call<User>(path, { method: 'PATCH', body })
  if (flags.output === undefined) out(`user/${reply.body.name} ${done}`)
  else await printRecord(reply.body, userView, flags.output)
}

const updateCommand = (): Command =>
  newCommand('update -o', 'Change e-mail address, display name, or whether the user is an admin.', [
    'stagely user update ann --admin',
    'stagely user update ann --no-admin',
  ])
    .argument('<name>', 'user, by name, e-mail address or id')
    .option('--email <address>', 'e-mail address; empty removes it')
    .option('--display-name <name>', 'name to show; empty removes it')
    .option('--admin', 'administrator of the whole controller')
    .option('--no-admin', 'no longer an admin')
    .action((name: string, flags: UserFlags) => {
      const body = bodyOf(flags)
      if (Object.keys(body).length === 0) throw usageError('say what to change; --help shows how')
      return update(name, flags, body)
    })

const switchCommand = (name: string, disabled: boolean, summary: string): Command =>
  newCommand(`${name} -o`, summary, [`stagely user ${name} ann`])
    .argument('<name>', 'user, by name, e-mail address or id')
    .action((user: string, flags: CommonFlags) => update(user, flags, { disabled }, `${name}d`))

const deleteCommand = (): Command =>
  newCommand('delete', 'Remove a user, with tokens and memberships.', [
    'stagely user delete ann',
    'stagely user delete ann --yes',
  ])
    .asking()
    .argument('<name>', 'user, by name, e-mail address or id')
    .action(remove)

const remove = async (given: string, flags: CommonFlags & { yes?: boolean }): Promise<void> => {
  const rest = await openRest(flags)
  const path = `/users/${pathPart(given)}`
  const { name, teams } = (await rest.call<UserWithTeams>(path)).body
  const names = teams.map(({ team }) => team)
  const where =
    names.length === 0 ? 'no team' : `team${names.length === 1 ? '' : 's'} ${names.join(', ')}`
  await confirm(
    {
      question: `Delete user ${name} (in ${where}), with every token?`,
      details: [
        `Nothing brings these back; "stagely user disable ${name}" refuses the same tokens, and can be undone.`,
      ],
    },
    flags.yes,
  )
  await rest.call(path, { method: 'DELETE' })
  out(`user/${name} deleted`)
}
