// How users, members and tokens are printed, and checks of arguments before a request.
import type { Command } from '../options.ts'
import type { Member, Session, Team, Token, User } from '../../src/generated/rest-types.ts'
import { InvalidArgumentError } from 'commander'
import { defined } from '../../src/kernel/defined.ts'
import { narrowingText } from '../../src/access/place.ts'
import { teamRoles } from '../../src/access/team-roles.ts'
import type { RecordView } from '../output/records.ts'

export const userView: RecordView<User> = {
  columns: [
    { header: 'NAME', cell: (user) => user.name },
    { header: 'EMAIL', cell: (user) => user.email },
    { header: 'ADMIN', cell: (user) => (user.admin ? 'yes' : 'no') },
    { header: 'STATE', cell: (user) => (user.disabled ? 'disabled' : 'active') },
    { header: 'CREATED', cell: (user) => user.created_at, wide: true },
    { header: 'LAST LOGIN', cell: (user) => user.last_login_at, wide: true },
  ],
  nameOf: (user) => `user/${user.name}`,
  empty: 'No users found.',
}

export const teamView: RecordView<Team> = {
  columns: [
    { header: 'NAME', cell: (team) => team.name },
    { header: 'CREATED', cell: (team) => team.created_at },
  ],
  nameOf: (team) => `team/${team.name}`,
  empty: 'No teams found.',
}

export const memberView: RecordView<Member> = {
  columns: [
    { header: 'USER', cell: (member) => member.user },
    { header: 'ROLE', cell: (member) => member.role },
    { header: 'ONLY', cell: narrowingText },
    { header: 'EMAIL', cell: (member) => member.email },
    { header: 'FROM GROUP', cell: (member) => (member.from_group ? 'yes' : 'no'), wide: true },
    { header: 'SINCE', cell: (member) => member.since, wide: true },
  ],
  nameOf: (member) => `user/${member.user}`,
  empty: 'No members found.',
}

const scopesOf = (token: Token): string =>
  [
    ...(token.role === undefined ? [] : [token.role]),
    ...(token.read_only ? ['read-only'] : []),
    ...(token.teams ?? []).map((team) => `team ${team}`),
    narrowingText(token),
  ]
    .filter((text) => text !== '')
    .join(', ')

export const tokenView: RecordView<Token> = {
  columns: [
    { header: 'NAME', cell: (token) => token.name },
    { header: 'TOKEN', cell: (token) => `${token.hint}…` },
    { header: 'SCOPES', cell: scopesOf },
    { header: 'EXPIRES', cell: (token) => token.expires_at ?? 'never' },
    { header: 'LAST USED', cell: (token) => token.last_used_at ?? 'never' },
    { header: 'ID', cell: (token) => token.id, wide: true },
    { header: 'CREATED BY', cell: (token) => token.created_by, wide: true },
  ],
  nameOf: (token) => `token/${token.name}`,
  empty: 'No tokens found.',
}

export const sessionView: RecordView<Session> = {
  columns: [
    { header: 'ID', cell: (session) => session.id },
    { header: 'BROWSER', cell: (session) => session.browser },
    { header: 'ADDRESS', cell: (session) => session.address },
    { header: 'LAST USED', cell: (session) => session.last_seen_at },
    { header: 'CREATED', cell: (session) => session.created_at, wide: true },
    { header: 'EXPIRES', cell: (session) => session.expires_at, wide: true },
  ],
  nameOf: (session) => `session/${session.id}`,
  empty: 'No sessions found.',
}

export const parseRole = (text: string): string => {
  if ((teamRoles as readonly string[]).includes(text)) return text
  throw new InvalidArgumentError(`use one of ${teamRoles.join(', ')}.`)
}

export interface PlaceFlags {
  readonly project?: string[]
  readonly environment?: string[]
  readonly stagelet?: string[]
  readonly folder?: string[]
}

export const withPlaces = (command: Command): Command =>
  command
    .option('--project <project...>', 'only in these projects')
    .option('--environment <environment...>', 'only in these environments')
    .option('--stagelet <stagelet...>', 'only these stagelets, and secrets of theirs alone')
    .option('--folder <folder...>', 'stagelets that are made lie below these folders of a machine')

export const placesOf = ({ project, environment, stagelet, folder }: PlaceFlags) =>
  defined({ projects: project, environments: environment, stagelets: stagelet, folders: folder })

/** One segment of a path. */
export const pathPart = (text: string): string => encodeURIComponent(text)
