// What `stagely get` lists besides kinds: what REST has of people and their logins.
import { openClient } from '../connect/client.ts'
import type { Member, Session, Team, Token, User } from '../../src/generated/rest-types.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { RestClient } from '../connect/rest.ts'
import { usageError } from '../errors.ts'
import { jsonPathOf, type ObjectFlags } from '../options.ts'
import { printRecord, printRecords, type RecordView } from '../output/records.ts'
import type { ListedWord } from './listed-words.ts'
import { memberView, pathPart, sessionView, teamView, tokenView, userView } from './views.ts'

export interface PeopleFlags extends ObjectFlags {
  readonly team?: string
  readonly user?: string
}

interface Listed<T> {
  /** The field of the answer. */
  readonly list: string
  readonly path: (rest: RestClient, flags: PeopleFlags) => string
  readonly view: RecordView<T>
}

/** Path of the tokens of whoever is named; of the caller when nobody is. */
export const tokensPath = ({ team, user }: Pick<PeopleFlags, 'team' | 'user'>): string => {
  if (team !== undefined && user !== undefined)
    throw usageError('--team and --user exclude each other')
  if (team !== undefined) return `/teams/${pathPart(team)}/tokens`
  return user === undefined ? '/tokens' : `/users/${pathPart(user)}/tokens`
}

export const membersPath = (team: string): string => `/teams/${pathPart(team)}/members`

const users: Listed<User> = { list: 'users', path: () => '/users', view: userView }
const teams: Listed<Team> = { list: 'teams', path: () => '/teams', view: teamView }
const members: Listed<Member> = {
  list: 'members',
  path: (rest, { team }) => membersPath(team ?? rest.namespace),
  view: memberView,
}
const tokens: Listed<Token> = {
  list: 'tokens',
  path: (_, flags) => tokensPath(flags),
  view: tokenView,
}
const sessions: Listed<Session> = {
  list: 'sessions',
  path: () => '/me/sessions',
  view: sessionView,
}

const byWord: Readonly<Record<ListedWord, Listed<never>>> = {
  users,
  teams,
  members,
  tokens,
  sessions,
}

const flagsOf: Readonly<Partial<Record<ListedWord, readonly string[]>>> = {
  members: ['team'],
  tokens: ['team', 'user'],
}

/** Flags of `stagely get` that only some words take. */
const special = {
  allNamespaces: '-A',
  selector: '-l',
  watch: '-w',
  project: '--project',
  team: '--team',
  user: '--user',
} as const

const checkFlags = (word: ListedWord, flags: object): void => {
  for (const [flag, written] of Object.entries(special))
    if (flag in flags && flagsOf[word]?.includes(flag) !== true)
      throw usageError(`${written} does not go with ${word}`)
}

/** UsageError for a flag that means nothing here, NotFound for a name. */
export const getListed = async (
  known: ListedWord,
  [word = '', ...names]: readonly string[],
  flags: PeopleFlags,
): Promise<void> => {
  checkFlags(known, flags)
  const { output } = flags
  if (output !== undefined && jsonPathOf(output) !== undefined)
    throw usageError(`-o ${output} is for kinds; use json, yaml, name or wide for ${known}`)
  const { list, path, view } = byWord[known]
  const { rest } = await openClient(flags)
  const found = await rest.list<never>(path(rest, flags), list)
  const wanted = [...word.split('/').slice(1), ...names].map((name) => name.split('/').at(-1)!)
  const called = (item: never): string => view.nameOf(item).split('/').slice(1).join('/')
  const missing = wanted.filter((name) => !found.some((item) => called(item) === name))
  if (missing.length > 0)
    throw new StagelyError('NotFound', `${known} not found: ${missing.join(', ')}`)
  const format = output as Exclude<typeof output, `jsonpath=${string}`>
  const meant = wanted.length === 0 ? found : found.filter((item) => wanted.includes(called(item)))
  if (wanted.length === 1) await printRecord(meant[0]!, view, format)
  else await printRecords(meant, view, format)
}
