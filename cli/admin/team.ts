// team: teams, their members and the members' roles.
import { openClient } from '../connect/client.ts'
import type { Member, Team } from '../../src/generated/rest-types.ts'
import { narrowingText } from '../../src/access/place.ts'
import { teamRoles } from '../../src/access/team-roles.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../options.ts'
import { usageError } from '../errors.ts'
import {
  memberView,
  parseRole,
  pathPart,
  placesOf,
  teamView,
  withPlaces,
  type PlaceFlags,
} from '../people/views.ts'
import { membersPath } from '../people/listed.ts'
import { out } from '../print.ts'
import { printRecord } from '../output/records.ts'
import { post } from '../connect/rest.ts'

export const command = (): Command =>
  newGroup('team', 'Manage teams (namespaces) and their members.', [
    'stagely admin team create team-a',
    'stagely admin team add team-a ann --role developer',
    'stagely admin team add team-a bob --role developer --project shop',
    'stagely admin team remove team-a ann',
  ]).having(createCommand, removeCommand, addCommand)

const createCommand = (): Command =>
  newCommand('create -o', 'Create a team. For admins.', ['stagely admin team create team-a'])
    .argument('<team>', 'name of the team')
    .action(async (name: string, flags: CommonFlags) => {
      const { rest } = await openClient(flags)
      const body = await post<Team>(rest, '/teams', { name })
      await printRecord(body, teamView, flags.output, `team/${body.name} created`)
    })

interface PutFlags extends CommonFlags, PlaceFlags {
  readonly role: string
  readonly wholeTeam?: boolean
}

const everywhere = { projects: null, environments: null, stagelets: null, folders: null }

const addCommand = (): Command =>
  withPlaces(
    newCommand(
      'add -o',
      'Add a user to a team, or change the role of a member and where it counts.',
      [
        'stagely admin team add team-a ann --role developer',
        'stagely admin team add team-a ann --role developer --project shop --environment preview',
      ],
    ),
  )
    .option('--whole-team', 'the role counts in the whole team again')
    .argument('<team>', 'name of the team')
    .argument('<user>', 'user, by name, e-mail address or id')
    .requiredOption('--role <role>', teamRoles.join(', '), parseRole)
    .action(async (team: string, user: string, flags: PutFlags) => {
      const places = placesOf(flags)
      if (flags.wholeTeam === true && Object.keys(places).length > 0)
        throw usageError('--whole-team excludes --project, --environment, --stagelet and --folder')
      const { rest } = await openClient(flags)
      const where = flags.wholeTeam === true ? everywhere : places
      const call = { method: 'PUT', body: { role: flags.role, ...where } } as const
      const { body } = await rest.call<Member>(`${membersPath(team)}/${pathPart(user)}`, call)
      const said = `user/${body.user} is ${body.role} of team ${team}${only(body)}`
      await printRecord(body, memberView, flags.output, said)
    })

const only = (member: Member): string => {
  const where = narrowingText(member)
  return where === '' ? '' : `, only ${where}`
}

const removeCommand = (): Command =>
  newCommand('remove', 'Remove a user from a team.', ['stagely admin team remove team-a ann'])
    .argument('<team>', 'name of the team')
    .argument('<user>', 'user, by name, e-mail address or id')
    .action(async (team: string, user: string, flags: CommonFlags) => {
      const { rest } = await openClient(flags)
      await rest.call(`${membersPath(team)}/${pathPart(user)}`, { method: 'DELETE' })
      out(`user/${user} removed from team ${team}`)
    })
