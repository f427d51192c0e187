// Of which teams one sees the objects: all, or one.
import { useLocation } from 'preact-iso'
import { projects, stagelets } from '../live/collections.ts'
import { someOf } from '../live/known.ts'
import { me } from './session.ts'
import { useQueryState, withQuery } from './team.ts'
import s from './team-switch.module.css'

/** Teams of one's own; an admin also has those in which something is. */
const teamsNow = (): string[] => {
  const mine = me.value?.teams.map(({ team }) => team) ?? []
  const seen =
    me.value?.admin === true
      ? [...someOf(projects.known.value), ...someOf(stagelets.known.value)].map(({ team }) => team)
      : []
  return [...new Set([...mine, ...seen])].sort()
}

export const TeamSwitch = () => {
  const { path, route } = useLocation()
  const [asked, setTeam] = useQueryState('team')
  const within = /^\/ui\/t\/([^/]+)/.exec(path)?.[1]
  const teams = teamsNow()
  const team = within ?? asked
  if (teams.length < 2 && team === undefined) return null
  const choose = (next: string): void => {
    const wanted = next === '' ? undefined : next
    if (within === undefined) setTeam(wanted)
    else route(withQuery('/ui/', { team: wanted }))
  }
  return (
    <label class={s['switch']}>
      <span class="muted">team</span>
      <select value={team ?? ''} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">all</option>
        {(team === undefined || teams.includes(team) ? teams : [team, ...teams]).map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </label>
  )
}
