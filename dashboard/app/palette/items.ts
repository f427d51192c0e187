// All that can be reached by name: pages, objects of the live collections, and what can be done with them.
import { rolesWith } from '../../../src/access/roles.ts'
import type { Agent, Project, Secret, Stagelet } from '../../../src/generated/rest-types.ts'
import { agents, knownSecrets, projects, stagelets } from '../../live/collections.ts'
import { someOf } from '../../live/known.ts'
import { whyNotOwned } from '../../ui/action.ts'
import {
  agentUrl,
  deletedUrl,
  dueUrl,
  projectUrl,
  revisionUrl,
  revisionsUrl,
  rotationsUrl,
  stageletUrl,
} from '../../ui/text/links.ts'
import { shortcuts } from '../../session/keys.ts'
import { logOutEverywhere } from '../live.ts'
import { appearance, setLook } from '../../session/look.ts'
import { pages, type RailEntry } from '../pages.ts'
import { knownTeams } from '../../session/known-teams.ts'
import { isAdmin, maySomewhere, needsAdmin, whyNot } from '../../session/session.ts'
import { withQuery } from '../../session/team.ts'
import type { Item } from './item.ts'

const whyNotPage = ({ needs }: RailEntry): string | undefined => {
  if (needs === undefined) return undefined
  if (needs === 'admin') return isAdmin.value ? undefined : needsAdmin
  if (maySomewhere(...needs)) return undefined
  return `Needs the role ${rolesWith(...needs).join(' or ')} in a team.`
}

const whyNotSomewhere = (...[verb, resource]: Parameters<typeof rolesWith>): string | undefined =>
  maySomewhere(verb, resource)
    ? undefined
    : `Needs the role ${rolesWith(verb, resource).join(' or ')} in a team.`

const page = (text: string, href: string, more: Partial<Item> = {}): Item => ({
  id: `page ${href}`,
  text,
  href,
  place: '',
  group: 'Pages',
  ...more,
})

const action = (text: string, place: string, more: Pick<Item, 'href' | 'command' | 'whyNot'>) => ({
  id: `action ${more.command ?? text}`,
  text,
  place,
  group: 'Actions' as const,
  ...more,
})

/** Keys that are nothing to choose here, or are among the settings. */
const mute = new Set(['Escape', 'Mod+k', '?'])

/** What can be done by a key where one is. */
const here = (): Item[] =>
  shortcuts()
    .filter(({ group = 'Everywhere', keys }) => group === 'Everywhere' && !mute.has(keys))
    .map(({ keys, does, run }) => ({
      id: `here ${keys}`,
      text: does,
      place: '',
      group: 'Here',
      keys,
      run: () => void run(),
    }))

const railPages = (): Item[] =>
  pages.flatMap(({ path, rail }) =>
    rail === undefined
      ? []
      : [page(rail.label, path, { keys: `g ${rail.letter}`, whyNot: whyNotPage(rail) })],
  )

const teamItems = (team: string): Item[] => {
  const [members, tokens] = [`/ui/t/${team}/members`, `/ui/t/${team}/tokens`]
  return [
    page('Members', members, { place: team, whyNot: whyNot('list', 'members', team) }),
    page('Machine tokens', tokens, { place: team, whyNot: whyNot('list', 'tokens', team) }),
    action('Add a member', team, {
      href: members,
      command: `add-member:${team}`,
      whyNot: whyNot('update', 'members', team),
    }),
    action('New machine token', team, {
      href: tokens,
      command: `new-token:team/${team}`,
      whyNot: whyNot('create', 'tokens', team),
    }),
  ]
}

const projectItems = ({ id, team, name, source }: Project): Item[] => {
  const url = projectUrl({ team, name })
  const newest = revisionUrl({ team, name }, 'newest')
  const object = page(name, url, { id, place: team, group: 'Objects', words: ['project'] })
  const write = whyNot('create', 'stagelysecrets', team)
  return [
    object,
    page(`${name}: revisions`, revisionsUrl({ team, name }), { place: team, words: ['history'] }),
    page(`${name}: rollout`, newest, { place: team }),
    page(`${name}: due`, dueUrl({ team, name }), { place: team }),
    page(`${name}: rotations`, rotationsUrl({ team, name }), { place: team }),
    page(`${name}: deleted secrets`, deletedUrl({ team, name }), { place: team }),
    page(`${name}: settings`, `${url}/settings`, { place: team }),
    page(`${name}: review`, `${url}/review`, { place: team }),
    action(`New secret in ${name}`, team, {
      href: url,
      command: `new-secret:${team}/${name}`,
      whyNot: write,
    }),
    action(`Import secrets into ${name}`, team, {
      href: url,
      command: `import:${team}/${name}`,
      whyNot: write,
    }),
    action(`Pause or resume the rollout of ${name}`, team, {
      href: newest,
      command: `pause:${id}`,
      whyNot: whyNot('patch', 'stagelets/pause', team) ?? whyNotOwned(source),
    }),
    action(`Retry what failed in ${name}`, team, {
      href: newest,
      command: `retry:${id}`,
      whyNot: whyNot('create', 'stagelets/deploy', team),
    }),
  ]
}

const stageletItems = ({ id, team, project, name, paused, source }: Stagelet): Item[] => {
  const href = stageletUrl({ team, name })
  const place = `${team} · ${project}`
  const deploy = whyNot('create', 'stagelets/deploy', team)
  const logs = whyNot('get', 'stagelets/logs', team)
  return [
    page(name, href, { id, place, group: 'Objects', words: ['stagelet'] }),
    page(`${name}: logs`, withQuery(href, { tab: 'logs' }), { place, whyNot: logs }),
    page(`${name}: why`, withQuery(href, { tab: 'why' }), { place }),
    action(`Deploy ${name}`, place, { href, command: `deploy:${id}`, whyNot: deploy }),
    action(`${paused ? 'Resume' : 'Pause'} ${name}`, place, {
      href,
      command: `pause:${id}`,
      whyNot: whyNot('patch', 'stagelets/pause', team) ?? whyNotOwned(source),
    }),
    action(`Retry ${name}`, place, { href, command: `retry:${id}`, whyNot: deploy }),
    action(`Leak test of ${name}`, place, { href, command: `leak-test:${id}`, whyNot: logs }),
  ]
}

const agentItems = ({ id, team, name, paused, drained }: Agent): Item[] => {
  const href = agentUrl({ team, name })
  const change = whyNot('patch', 'agents', team)
  return [
    page(name, href, { id, place: team, group: 'Objects', words: ['agent', 'machine'] }),
    action(`${paused ? 'Resume' : 'Pause'} agent ${name}`, team, {
      href,
      command: `paused:${id}`,
      whyNot: change,
    }),
    action(`${drained ? 'Stop draining' : 'Drain'} agent ${name}`, team, {
      href,
      command: `drained:${id}`,
      whyNot: change,
    }),
    action(`Rotate the keys of agent ${name}`, team, {
      href,
      command: `new-keys:${id}`,
      whyNot: change,
    }),
    action(`Revoke agent ${name}`, team, {
      href,
      command: `revoke:${id}`,
      whyNot: whyNot('create', 'agents/join', team),
    }),
  ]
}

export const secretItem = ({
  id,
  team,
  project = '',
  name,
  key = '',
  scope = '',
}: Pick<Secret, 'id' | 'team' | 'name'> &
  Partial<Pick<Secret, 'key' | 'scope' | 'project'>>): Item => ({
  id,
  text: key,
  place: `${team} · ${project} · ${scope}`,
  group: 'Objects',
  href: withQuery(projectUrl({ team, name: project }), { secret: name }),
  words: ['secret', name],
})

/** Kinds with a form, but for rotations: those are made in their project. */
const madeByForm = [
  ['project', 'projects'],
  ['stack', 'stagelets'],
  ['store', 'secretstores'],
  ['notifier', 'notifiers'],
  ['issuer', 'trustedissuers'],
] as const

const general = (): Item[] => [
  page('Profile: sessions and tokens', '/ui/me'),
  action('Add a machine', '', {
    href: '/ui/agents',
    command: 'add-machine',
    whyNot: whyNotSomewhere('create', 'agents/join'),
  }),
  ...madeByForm.map(([kind, resource]) =>
    action(`New ${kind}`, '', {
      href: `/ui/new/${kind}`,
      whyNot: whyNotSomewhere('create', resource),
    }),
  ),
  action('New team', '', {
    href: '/ui/people',
    command: 'new-team',
    whyNot: isAdmin.value ? undefined : needsAdmin,
  }),
  action('New user', '', {
    href: '/ui/people',
    command: 'new-user',
    whyNot: isAdmin.value ? undefined : needsAdmin,
  }),
  action('New personal token', '', { href: '/ui/me', command: 'new-token:mine' }),
  ...(['data', 'master'] as const).map((kind) =>
    action(kind === 'data' ? 'Rotate data keys' : 'Re-wrap all keys', '', {
      href: '/ui/keys',
      command: `rotate:${kind}`,
      whyNot: isAdmin.value ? undefined : needsAdmin,
    }),
  ),
]

const setting = (text: string, run: () => void, more: Partial<Item> = {}): Item => ({
  id: `setting ${text}`,
  text,
  place: '',
  group: 'Settings',
  run,
  ...more,
})

const settings = (showShortcuts: () => void): Item[] => {
  const { density, letters } = appearance.value
  return [
    setting('Show the shortcuts', showShortcuts, { keys: '?' }),
    ...(['system', 'light', 'dark'] as const).map((theme) =>
      setting(theme === 'system' ? 'Theme: system' : `Theme: ${theme}`, () => setLook({ theme })),
    ),
    setting(density === 'dense' ? 'Normal rows' : 'Dense rows', () =>
      setLook({ density: density === 'dense' ? 'normal' : 'dense' }),
    ),
    setting(`Turn single-letter shortcuts ${letters ? 'off' : 'on'}`, () =>
      setLook({ letters: !letters }),
    ),
    setting('Log out', () => void logOutEverywhere()),
  ]
}

/** In the order in which equally good ones are shown. */
export const allItems = (showShortcuts: () => void): Item[] => [
  ...here(),
  ...railPages(),
  ...someOf(projects.list.value).flatMap(projectItems),
  ...someOf(stagelets.list.value).flatMap(stageletItems),
  ...someOf(agents.list.value).flatMap(agentItems),
  ...knownSecrets().map(secretItem),
  ...general(),
  ...knownTeams().flatMap(teamItems),
  ...settings(showShortcuts),
]

/** Before anything is typed. */
export const firstItems = (showShortcuts: () => void): Item[] => [
  ...here(),
  ...railPages().filter(({ whyNot: why }) => why === undefined),
  ...settings(showShortcuts).slice(0, 1),
]
