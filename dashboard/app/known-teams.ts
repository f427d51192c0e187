// Teams in which something may be made: one's own, and for an admin those that are seen.
import { agents, projects } from '../live/collections.ts'
import { someOf } from '../live/known.ts'
import { me } from './session.ts'

export const knownTeams = (): string[] => {
  const mine = me.value?.teams.map(({ team }) => team) ?? []
  const seen =
    me.value?.admin === true
      ? [...someOf(agents.known.value), ...someOf(projects.known.value)].map(({ team }) => team)
      : []
  const all = [...new Set([...mine, ...seen])].sort()
  return all.length === 0 ? ['default'] : all
}
