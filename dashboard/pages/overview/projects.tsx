// Each project in a row: its secrets, its stagelets by state, its revision, and the last change.
import type { Happened, Project, Stagelet } from '../../../src/generated/rest-types.ts'
import { useTeam } from '../../session/team.ts'
import { stagelets } from '../../live/collections.ts'
import { mapKnown, type Known } from '../../live/known.ts'
import { isOf } from '../../live/states.ts'
import { projectUrl } from '../../ui/text/links.ts'
import { Panel } from '../../ui/page.tsx'
import { visibleText } from '../../ui/text/visible-text.ts'
import { InlineKnown } from '../../ui/when-known.tsx'
import { LastChange, useLastChanges } from './last-change.tsx'
import { States } from './states.tsx'
import s from '../overview.module.css'

const ProjectRow = ({
  project,
  all,
  changes,
}: {
  readonly project: Project
  readonly all: Known<readonly Stagelet[]>
  readonly changes: Known<ReadonlyMap<string, Happened>>
}) => {
  const mine = mapKnown(all, (every) => every.filter((stagelet) => isOf(project, stagelet)))
  const change = mapKnown(changes, (every) => every.get(`${project.team}/${project.name}`))
  return (
    <tr>
      <th scope="row">
        <a href={projectUrl(project)}>{project.name}</a>
        {project.description === undefined ? null : (
          <small>{visibleText(project.description)}</small>
        )}
      </th>
      <td class={s['wide']}>{project.team}</td>
      <td class={s['number']}>{project.secrets.toLocaleString('en')}</td>
      <td>
        <InlineKnown value={mine}>{(shown) => <States stagelets={shown} />}</InlineKnown>
      </td>
      <td class={s['number']}>{project.revision === 0 ? '–' : `r${project.revision}`}</td>
      <td class={s['wide']}>
        <InlineKnown value={change}>{(shown) => <LastChange change={shown} />}</InlineKnown>
      </td>
    </tr>
  )
}

interface Props {
  /** The projects of the chosen team, or of all. */
  readonly projects: readonly Project[]
  /** The page has the title and the number. */
  readonly isPage?: boolean
}

export const Projects = ({ projects, isPage = false }: Props) => {
  const team = useTeam()
  const shown = projects.toSorted(
    (a, b) => a.name.localeCompare(b.name) || a.team.localeCompare(b.team),
  )
  const all = stagelets.list.value
  const changes = useLastChanges(team)
  return (
    <Panel
      flush
      {...(isPage
        ? {}
        : { title: 'Projects', aside: <span class="muted num">{shown.length}</span> })}
    >
      <table class={s['table']}>
        <thead>
          <tr>
            <th scope="col">Project</th>
            <th scope="col" class={s['wide']}>
              Team
            </th>
            <th scope="col" class={s['number']}>
              Secrets
            </th>
            <th scope="col">Stagelets</th>
            <th scope="col" class={s['number']}>
              Revision
            </th>
            <th scope="col" class={s['wide']}>
              Last change
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((project) => (
            <ProjectRow key={project.id} project={project} all={all} changes={changes} />
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
