// Buttons that lead to the form of a kind: for a new object, and for one that is there.
import { useLocation } from 'preact-iso'
import type { Resource } from '../../src/access/roles.ts'
import { teamsToCreateIn } from '../session/known-teams.ts'
import { whyNot } from '../session/session.ts'
import { useTeam, withQuery } from '../session/team.ts'
import { whyNotOwned } from './action.ts'
import { Button } from './button.tsx'

interface NewProps {
  /** `notifier`: as in the address of the form. */
  readonly kind: string
  readonly resource: Resource
  /** What the form begins with. */
  readonly given?: Readonly<Record<string, string>>
}

export const NewButton = ({ kind, resource, given = {} }: NewProps) => {
  const { route } = useLocation()
  const chosen = useTeam()
  const team = given['team'] ?? chosen
  const teams = team === undefined ? teamsToCreateIn() : [team]
  const refusals = teams.map((team) => whyNot('create', resource, team))
  return (
    <Button
      variant="primary"
      whyNot={refusals.includes(undefined) ? undefined : refusals[0]}
      onPress={() => route(withQuery(`/ui/new/${kind}`, { team, ...given }))}
    >
      New {kind}
    </Button>
  )
}

interface EditProps extends Omit<NewProps, 'given'> {
  readonly object: { readonly team: string; readonly name: string; readonly source: string }
  /** Of a rotation. */
  readonly project?: string
  readonly small?: boolean
}

export const EditButton = ({ kind, resource, object, project, small }: EditProps) => {
  const { route } = useLocation()
  const { team, name, source } = object
  return (
    <Button
      small={small === true}
      label={`Edit ${name}`}
      whyNot={whyNot('patch', resource, team) ?? whyNotOwned(source)}
      onPress={() => route(withQuery(`/ui/t/${team}/edit/${kind}/${name}`, { project }))}
    >
      Edit
    </Button>
  )
}
