// All projects, and a new one.
import { useTeam } from '../session/team.ts'
import { projects } from '../live/collections.ts'
import { inTeam } from '../live/known.ts'
import { NewButton } from '../ui/form-buttons.tsx'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { InlineKnown, WhenKnown } from '../ui/when-known.tsx'
import { Projects } from './overview/projects.tsx'

export const Page = () => {
  const team = useTeam()
  const shown = inTeam(projects.list.value, team)
  return (
    <PageFrame
      windowTitle="Projects"
      title="Projects"
      state={
        <InlineKnown value={shown}>
          {({ length }) => <span class="muted num">{length}</span>}
        </InlineKnown>
      }
      actions={<NewButton kind="project" resource="projects" />}
    >
      <WhenKnown
        value={shown}
        none={
          <Panel>
            <Empty title="No project yet">
              A project is a set of secrets and the stacks that get them.
            </Empty>
          </Panel>
        }
      >
        {(all) => <Projects projects={all} isPage />}
      </WhenKnown>
    </PageFrame>
  )
}
