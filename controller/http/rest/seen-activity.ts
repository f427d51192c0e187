// Whose activity a caller sees.
import { isBelowProject } from '../../../src/access/place.ts'
import { narrowingOf, teamsWhere, type Principal } from '../../../src/access/principal.ts'
import { append } from '../../../src/kernel/append.ts'
import type { ActivityFilter } from '../../../src/store/activity/activity-log.ts'
import { requireIn } from './access.ts'
import type { RestContext } from './route.ts'
import { everywhere } from '../../../src/access/place.ts'

export const activityRight = { verb: 'list', resource: 'events' } as const

/** Those that the caller may see; undefined: all. */
const teamsOf = (principal: Principal, team: string | undefined): string[] | undefined => {
  if (team === undefined) return teamsWhere(principal, activityRight.verb, activityRight.resource)
  requireIn(principal, activityRight, team)
  return [team]
}

/** Where the caller may see activity: whole teams, projects, or the stagelets that are in view today. */
export const seenBy = async (
  { deps: { store }, principal }: Pick<RestContext, 'deps' | 'principal'>,
  team: string | undefined,
): Promise<Pick<ActivityFilter, 'teams' | 'places'>> => {
  const teams = teamsOf(principal, team)
  const narrowingIn = narrowingOf(principal)
  if (narrowingIn === everywhere) return { teams }
  const named = teams ?? (await store.list('Namespace')).items.map(({ metadata }) => metadata.name)
  const projects: string[] = []
  const stagelets: string[] = []
  for (const namespace of named) {
    const narrowing = narrowingIn(namespace)
    if (narrowing === undefined) continue
    if (isBelowProject(narrowing))
      append(
        stagelets,
        (await store.listRows('Stagelet', { namespace })).map(({ uid }) => uid),
      )
    else
      append(
        projects,
        (narrowing.projects ?? []).map((name) => `${namespace}/${name}`),
      )
  }
  const wide = named.filter((namespace) => narrowingIn(namespace) === undefined)
  return { teams: wide, places: { projects, stagelets } }
}
