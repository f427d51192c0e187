// Is everything as declared? First what is not, then what rolls now, then all projects.
import { useLocation } from 'preact-iso'
import { useTeam } from '../app/team.ts'
import { useShortcuts } from '../app/keys.ts'
import type { Agent, Happened, Project, Stagelet } from '../api/types.ts'
import { agents, projects, stagelets } from '../live/collections.ts'
import { countsOf, isOf, standingOf, type Standing } from '../live/standing.ts'
import { Empty, PageFrame, Panel, Skeleton } from '../ui/page.tsx'
import { said } from '../ui/said.ts'
import { ProblemBox } from '../ui/problem.tsx'
import { Command } from '../ui/copy.tsx'
import { projectUrl, stageletUrl } from '../ui/links.ts'
import { Count, State } from '../ui/state.tsx'
import { Ago } from '../ui/time.tsx'
import { LastChange, Lately, useLastChanges } from './overview/lately.tsx'
import s from './overview.module.css'

interface Judged {
  readonly stagelet: Stagelet
  readonly standing: Standing
}

/** What a person should look at; below this weight things go on by themselves. */
const needsYou = 30

const byWeight = (a: Judged, b: Judged): number =>
  b.standing.weight - a.standing.weight ||
  (b.standing.since ?? '').localeCompare(a.standing.since ?? '') ||
  a.stagelet.name.localeCompare(b.stagelet.name)

const useJudged = (): readonly Judged[] => {
  const team = useTeam()
  return stagelets.rows.value
    .filter((one) => team === undefined || one.team === team)
    .map((stagelet) => ({ stagelet, standing: standingOf(stagelet) }))
    .sort(byWeight)
}

/** The first line of why; the page of the stagelet has the rest. */
const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

const AttentionRow = ({ stagelet, standing }: Judged) => (
  <li>
    <a href={stageletUrl(stagelet)} class={s['row']}>
      <span class={s['what']}>
        <State kind={standing.kind}>{standing.word}</State>
      </span>
      <span class={s['where']}>
        <b>
          {stagelet.project}/{stagelet.name}
        </b>
        <span class="muted"> on {stagelet.agent}</span>
      </span>
      <span class={s['why']}>{firstLine(standing.why)}</span>
      <span class={`${s['when']} muted`}>
        <Ago at={standing.since} />
      </span>
    </a>
  </li>
)

const Attention = ({ judged }: { readonly judged: readonly Judged[] }) => (
  <Panel
    flush
    title={`${judged.length} ${judged.length === 1 ? 'thing needs' : 'things need'} you`}
  >
    <ul class={s['rows']}>
      {judged.slice(0, 50).map((one) => (
        <AttentionRow key={one.stagelet.id} {...one} />
      ))}
    </ul>
    {judged.length > 50 ? <p class={s['more']}>and {judged.length - 50} more</p> : null}
  </Panel>
)

const Rolling = ({ judged }: { readonly judged: readonly Judged[] }) => (
  <Panel flush title="Rolling now">
    <ul class={s['rows']}>
      {judged.map((one) => (
        <AttentionRow key={one.stagelet.id} {...one} />
      ))}
    </ul>
  </Panel>
)

const States = ({ of, words }: { readonly of: readonly Stagelet[]; readonly words?: boolean }) => {
  const counts = countsOf(of)
  if (counts.length === 0) return words === true ? null : <span class="muted">none</span>
  if (words === true)
    return (
      <span class={s['states']}>
        {counts.map(({ kind, word, count }) => (
          <State key={word} kind={kind}>
            {count} {word.toLowerCase()}
          </State>
        ))}
      </span>
    )
  return (
    <span class={s['states']}>
      {counts.map(({ kind, word, count }) => (
        <Count key={word} kind={kind} count={count} word={word} />
      ))}
    </span>
  )
}

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
      <td class={s['number']}>{project.secrets}</td>
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

const Projects = () => {
  const team = useTeam()
  const shown = projects.rows.value
    .filter((one) => team === undefined || one.team === team)
    .toSorted((a, b) => a.name.localeCompare(b.name) || a.team.localeCompare(b.team))
  const all = stagelets.rows.value
  const changes = useLastChanges(team)
  return (
    <Panel flush title="Projects" aside={<span class="muted num">{shown.length}</span>}>
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

const FirstSteps = () => (
  <Panel>
    <Empty title="Nothing is declared yet">
      A project is a set of secrets and the stacks that get them.
    </Empty>
    <ol class={s['steps']}>
      <li>
        <h2>Add a machine</h2>
        <Command text="stagely agent token create --name web-1" />
      </li>
      <li>
        <h2>Describe a stack, in its folder</h2>
        <Command text="stagely init" />
      </li>
      <li>
        <h2>Bring in its secrets</h2>
        <Command text="stagely secrets import --project shop .env" />
      </li>
    </ol>
  </Panel>
)

const agentsAway = (all: readonly Agent[]): number =>
  all.filter(({ conditions }) =>
    conditions.some(({ type, status }) => type === 'Ready' && status !== 'True'),
  ).length

export const Page = () => {
  const { route } = useLocation()
  const judged = useJudged()
  const attention = judged.filter(({ standing }) => standing.weight >= needsYou)
  const rolling = judged.filter(({ standing }) => standing.kind === 'run')
  const worst = attention[0]
  useShortcuts([
    {
      keys: 'Enter',
      does: 'Go to the worst thing',
      run: () => {
        if (worst === undefined || document.activeElement !== document.body) return false
        route(stageletUrl(worst.stagelet))
        return true
      },
    },
  ])
  const isReading = [projects, stagelets].some(
    ({ loading }) => loading.value === 'loading' || loading.value === 'idle',
  )
  const isCounted = [stagelets, agents].every(({ loading }) => loading.value === 'ready')
  const error = projects.error.value ?? stagelets.error.value
  const away = agentsAway(agents.rows.value)
  const isEmpty = !isReading && projects.rows.value.length === 0 && judged.length === 0
  const title =
    attention.length > 0
      ? `▲ ${attention.length}`
      : rolling.length > 0
        ? `◐ ${rolling.length}`
        : '●'
  return (
    <PageFrame
      windowTitle={`${isReading ? '' : `${title} `}Overview`}
      title="Overview"
      state={<States of={judged.map(({ stagelet }) => stagelet)} words />}
      actions={
        !isCounted ? null : (
          <span class="muted num">
            {judged.length} {judged.length === 1 ? 'stagelet' : 'stagelets'} on{' '}
            {agents.rows.value.length} {agents.rows.value.length === 1 ? 'agent' : 'agents'}
            {away > 0 ? `, ${away} away` : ''}
          </span>
        )
      }
    >
      {error === undefined ? null : (
        <ProblemBox
          error={error}
          onRetry={() => {
            void projects.refresh()
            void stagelets.refresh()
          }}
        />
      )}
      {isReading ? (
        // Nothing jumps: parts are shown once all of them are known.
        <Skeleton rows={8} />
      ) : isEmpty ? (
        <FirstSteps />
      ) : (
        <>
          {attention.length > 0 ? (
            <Attention judged={attention} />
          ) : judged.length > 0 ? (
            <AllWell rolling={rolling.length} />
          ) : null}
          {rolling.length === 0 ? null : <Rolling judged={rolling} />}
          {projects.rows.value.length === 0 ? null : <Projects />}
          <Lately />
        </>
      )}
    </PageFrame>
  )
}

const AllWell = ({ rolling }: { readonly rolling: number }) => (
  <p class={s['well']}>
    <State kind="ok">
      {rolling === 0 ? 'What runs is what is declared.' : 'Nothing needs you.'}
    </State>
  </p>
)
