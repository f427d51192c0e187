// Chooses whose objects are shown: of all teams, or of one.
import { useLocation } from 'preact-iso'
import { knownTeams } from '../session/known-teams.ts'
import { useQueryState, withQuery } from '../session/team.ts'
import s from './team-switch.module.css'

export const TeamSwitch = () => {
  const { path, route } = useLocation()
  const [asked, setTeam] = useQueryState('team')
  const within = /^\/ui\/t\/([^/]+)/.exec(path)?.[1]
  const teams = knownTeams()
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
