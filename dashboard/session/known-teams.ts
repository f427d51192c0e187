// The teams of the person; for an admin all teams that have objects.
import { agents, projects, stagelets } from '../live/collections.ts'
import { someOf } from '../live/known.ts'
import { me } from './session.ts'

export const knownTeams = (): string[] => {
  const own = me.value?.teams.map(({ team }) => team) ?? []
  const objects =
    me.value?.admin === true
      ? [projects, stagelets, agents].flatMap(({ list }) =>
          someOf<{ readonly team: string }>(list.value),
        )
      : []
  return [...new Set([...own, ...objects.map(({ team }) => team)])].sort()
}

/** Teams in which something can be created. */
export const teamsToCreateIn = (): string[] => {
  const all = knownTeams()
  return all.length === 0 ? ['default'] : all
}
