// Each project in a row: its secrets, its stagelets by state, its revision, and the last change.
import type { Happened, Project, Stagelet } from '../../../../src/rest/types.ts'
import { useTeam } from '../../app/team.ts'
import { projects, stagelets } from '../../live/collections.ts'
import { isOf } from '../../live/states.ts'
import { projectUrl } from '../../ui/links.ts'
import { Panel } from '../../ui/page.tsx'
import { said } from '../../ui/said.ts'
import { LastChange, useLastChanges } from './lately.tsx'
import { States } from './states.tsx'
import s from '../overview.module.css'

const ProjectRow = ({
  project,
  all,
  change,
}: {
  readonly project: Project
  readonly all: readonly Stagelet[]
  readonly change: Happened | undefined
}) => {
  const mine = all.filter((one) => isOf(project, one))
  return (
    <tr>
      <th scope="row">
        <a href={projectUrl(project)}>{project.name}</a>
        {project.description === undefined ? null : <small>{said(project.description)}</small>}
      </th>
      <td class={s['wide']}>{project.team}</td>
      <td class={s['number']}>{project.secrets.toLocaleString('en')}</td>
      <td>
        <States of={mine} />
      </td>
      <td class={s['number']}>{project.revision === 0 ? '–' : `r${project.revision}`}</td>
      <td class={s['wide']}>
        <LastChange change={change} />
      </td>
    </tr>
  )
}

/** All projects of the chosen team, or of all. `isPage`: the page has the title and the number. */
export const Projects = ({ isPage = false }: { readonly isPage?: boolean }) => {
  const team = useTeam()
  const shown = projects.rows.value
    .filter((one) => team === undefined || one.team === team)
    .toSorted((a, b) => a.name.localeCompare(b.name) || a.team.localeCompare(b.team))
  const all = stagelets.rows.value
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
            <ProjectRow
              key={project.id}
              project={project}
              all={all}
              change={changes.get(`${project.team}/${project.name}`)}
            />
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
