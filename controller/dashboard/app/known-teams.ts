// Teams in which something may be made: one's own, and for an admin those that are seen.
import { agents, projects } from '../live/collections.ts'
import { me } from './session.ts'

export const knownTeams = (): string[] => {
  const mine = me.value?.teams.map(({ team }) => team) ?? []
  const seen =
    me.value?.admin === true
      ? [...agents.rows.value, ...projects.rows.value].map(({ team }) => team)
      : []
  const all = [...new Set([...mine, ...seen])].sort()
  return all.length === 0 ? ['default'] : all
}
