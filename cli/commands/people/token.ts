// token: a person's own tokens, those of a team's machines, and for admins those of any user.
import { openClient } from '../../connect/client.ts'
import type { Token } from '../../../src/generated/rest-types.ts'
import { realClock, toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { usageError } from '../../errors.ts'
import {
  newCommand,
  newGroup,
  parseDuration,
  type Command,
  type CommonFlags,
} from '../../options.ts'
import {
  parseRole,
  pathPart,
  placesOf,
  tokenView,
  withPlaces,
  type PlaceFlags,
} from '../../people/views.ts'
import { tokensPath } from '../../people/listed.ts'
import { note, out } from '../../print.ts'
import { confirm } from '../../prompt.ts'
import { printRecord } from '../../output/records.ts'
import { post } from '../../connect/rest.ts'

export const command = (): Command =>
  newGroup('token', 'Create and revoke tokens. "stagely get tokens" lists them.', [
    'stagely token create laptop --ttl 30d > token',
    'stagely token create ci --team team-a --role deployer > token',
    'stagely token revoke laptop',
  ]).having(createCommand, revokeCommand)

interface OwnerFlags extends CommonFlags {
  readonly team?: string
  readonly user?: string
}

interface CreateFlags extends OwnerFlags, PlaceFlags {
  readonly ttl?: number
  readonly role?: string
  readonly readOnly?: boolean
  readonly onlyTeam?: readonly string[]
}

const withOwner = (command: Command): Command =>
  command
    .option('--team <team>', 'tokens of this team’s machines, not yours')
    .option('--user <name>', 'tokens of this user; for admins')

const createCommand = (): Command =>
  withPlaces(
    withOwner(
      newCommand('create -o', 'Create a token; prints only the token, once.', [
        'stagely token create laptop --ttl 30d > token',
        'stagely token create dashboard --read-only --only-team team-a',
        'stagely token create ci --team team-a --role deployer --ttl 90d',
        'stagely token create pr --team team-a --role deployer --project shop --environment preview',
      ]),
    ),
  )
    .argument('<name>', 'name of the token, unique among the owner’s')
    .option(
      '--ttl <time>',
      'lifetime, such as 12h or 90d; until revoked when absent',
      parseDuration,
    )
    .option(
      '--role <role>',
      'role of the machine; of a person, the highest role of the token',
      parseRole,
    )
    .option(
      '--read-only',
      'read only: values too if the owner may read them, unless --role is lower',
    )
    .option('--only-team <team...>', 'only in these teams')
    .action(create)

const create = async (name: string, flags: CreateFlags): Promise<void> => {
  const { ttl, role, readOnly, onlyTeam, team } = flags
  if (team !== undefined && role === undefined)
    throw usageError('--role is missing: a machine has one role in its team')
  if (team !== undefined && onlyTeam !== undefined)
    throw usageError('--only-team is for tokens of people: a machine is in its own team only')
  const body = {
    name,
    ...(ttl !== undefined && { expires_at: toTimestamp(realClock.now() + ttl) }),
    ...defined({ role, read_only: readOnly, teams: onlyTeam }),
    ...placesOf(flags),
  }
  const { rest } = await openClient(flags)
  const made = await post<Token & { token?: string }>(rest, tokensPath(flags), body)
  if (flags.output !== undefined) {
    await printRecord(made, tokenView, flags.output)
    return
  }
  if (made.token === undefined)
    note('The token was made, but shown to an earlier request: revoke it.')
  else out(made.token)
}

const revokeCommand = (): Command =>
  withOwner(
    newCommand('revoke', 'Revoke a token, at once.', [
      'stagely token revoke laptop',
      'stagely token revoke ci --team team-a --yes',
    ]).asking(),
  )
    .argument('<name>', 'token, by name or id')
    .action(async (name: string, flags: OwnerFlags & { yes?: boolean }) => {
      const details = ['Whoever uses it is refused at once. Nothing brings it back: make another.']
      await confirm({ question: `Revoke token ${name}?`, details }, flags.yes)
      const { rest } = await openClient(flags)
      await rest.call(`${tokensPath(flags)}/${pathPart(name)}`, { method: 'DELETE' })
      out(`token/${name} revoked`)
    })
