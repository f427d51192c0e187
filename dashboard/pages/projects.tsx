// All projects, and a new one.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import { defined } from '../../src/kernel/defined.ts'
import { teamsToCreateIn } from '../app/known-teams.ts'
import { whyNot } from '../app/session.ts'
import { useTeam } from '../app/team.ts'
import { createObject } from '../actions/kinds.ts'
import { projects } from '../live/collections.ts'
import { perform } from '../ui/action.ts'
import { Button } from '../ui/button.tsx'
import { CopyAs } from '../ui/copy-as.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { projectUrl } from '../ui/text/links.ts'
import { InlineKnown, WhenKnown } from '../ui/when-known.tsx'
import { mapKnown } from '../live/known.ts'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { TeamField } from '../ui/team-field.tsx'
import { Projects } from './overview/projects.tsx'

const mayMakeIn = (team: string): boolean => whyNot('create', 'projects', team) === undefined

const NewProject = ({ onClose }: { readonly onClose: () => void }) => {
  const { route } = useLocation()
  const chosen = useTeam()
  const teams = teamsToCreateIn().filter(mayMakeIn)
  const [team, setTeam] = useState(chosen ?? teams[0] ?? 'default')
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const givenDescription = description.trim() === '' ? undefined : description.trim()
  const action = createObject('Project', { team, name }, defined({ description: givenDescription }))
  const create = async (): Promise<void> => {
    await perform(action)
    route(projectUrl({ team, name }))
  }
  return (
    <FormDialog title="New project" action="Create project" send={create} onClose={onClose}>
      <label>
        <span>Name</span>
        <input
          required
          maxLength={63}
          placeholder="shop"
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => setName(event.currentTarget.value.trim())}
        />
      </label>
      <label>
        <span>Description (optional)</span>
        <input
          maxLength={1000}
          value={description}
          onInput={(event) => setDescription(event.currentTarget.value)}
        />
      </label>
      <TeamField teams={teams} team={team} onTeam={setTeam} />
      {name === '' ? null : <CopyAs action={action} />}
    </FormDialog>
  )
}

export const Page = () => {
  const [isMaking, setMaking] = useState(false)
  const team = useTeam()
  const open = (): boolean => {
    setMaking(true)
    return true
  }
  const shown = mapKnown(projects.known.value, (all) =>
    all.filter((one) => team === undefined || one.team === team),
  )
  const teams = team === undefined ? teamsToCreateIn() : [team]
  const why = teams.some(mayMakeIn) ? undefined : whyNot('create', 'projects', teams[0] ?? '')
  return (
    <PageFrame
      windowTitle="Projects"
      title="Projects"
      state={
        <InlineKnown of={shown}>
          {({ length }) => <span class="muted num">{length}</span>}
        </InlineKnown>
      }
      actions={
        <Button look="primary" command="new-project" whyNot={why} onPress={open}>
          New project
        </Button>
      }
    >
      <WhenKnown
        of={shown}
        none={
          <Panel>
            <Empty title="No projects yet">
              A project is a set of secrets, and the stacks that use them.
            </Empty>
          </Panel>
        }
      >
        {(all) => <Projects of={all} isPage />}
      </WhenKnown>
      {isMaking ? <NewProject onClose={() => setMaking(false)} /> : null}
    </PageFrame>
  )
}
