// The field of a form that says in which team something is made; nothing where there is no choice.

interface Props {
  readonly teams: readonly string[]
  readonly team: string
  readonly onTeam: (team: string) => void
}

export const TeamField = ({ teams, team, onTeam }: Props) =>
  teams.length < 2 ? null : (
    <label>
      <span>Team</span>
      <select value={team} onChange={(event) => onTeam(event.currentTarget.value)}>
        {teams.map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </label>
  )
