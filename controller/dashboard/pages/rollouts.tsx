// Everything that moves, of all projects: first what needs a person, then what rolls, then what is complete.
import { useRef, useState } from 'preact/hooks'
import { defined } from '../../../src/kernel/defined.ts'
import { useTeam } from '../app/team.ts'
import { api, must } from '../api/client.ts'
import type { KeptRollout, Project } from '../../../src/rest/types.ts'
import { projects, stagelets } from '../live/collections.ts'
import { activityUrl, projectUrl } from '../ui/links.ts'
import { messageText } from '../ui/message.ts'
import { Listed } from '../ui/listed.tsx'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { ProblemBox } from '../ui/problem.tsx'
import { RolloutTabs } from '../ui/rollout-tabs.tsx'
import { State } from '../ui/state.tsx'
import { useQuery } from '../ui/use-query.ts'
import { RolloutActions } from './rollouts/actions.tsx'
import { RolloutBar } from './rollouts/bar.tsx'
import { KeptRollouts } from './rollouts/kept.tsx'
import { isOpen, rolloutState, stopText } from './rollouts/rollout-words.ts'
import { useRollout } from './rollouts/use-rollout.ts'
import { revisionText } from './stagelet/sentence.ts'
import s from './rollouts/rollouts.module.css'

const lastShown = 5

const rolloutUrl = (project: Project): string => `${projectUrl(project)}/rollout`

/** A project shows itself where its rollout is open or not as `open` says. */
const Row = ({
  project,
  onOpen,
}: {
  readonly project: Project
  readonly onOpen: (isOpen: boolean) => void
}) => {
  const { rollout, error, show } = useRollout(project)
  if (error !== undefined)
    return (
      <li class={s['row']}>
        <ProblemBox error={error} />
      </li>
    )
  if (rollout === undefined) return null
  onOpen(isOpen(rollout))
  const [kind, word] = rolloutState(rollout)
  return (
    <li class={s['row']}>
      <div>
        <a href={rolloutUrl(project)}>
          <b>{project.name}</b>
        </a>{' '}
        <span class="muted num">{revisionText(rollout.revision)}</span>
        <div>
          <State kind={kind}>{word}</State>
        </div>
      </div>
      <div>
        <RolloutBar rollout={rollout} />
        <p class={s['message']}>{messageText(stopText(rollout))}</p>
      </div>
      <div class={s['actions']}>
        <RolloutActions project={project} rollout={rollout} onChange={show} />
      </div>
    </li>
  )
}

/** Read anew when a rollout has begun or ended. */
const Last = ({ team }: { readonly team: string | undefined }) => {
  const ends = stagelets.rows.value.map(({ id, last_rollout: last }) => `${id} ${last?.result}`)
  const { data, error } = useQuery({
    key: ['last rollouts', team, ends.join()],
    read: (signal) => {
      const query = { ...defined({ team }), limit: lastShown }
      return must(api.GET('/rollouts', { params: { query }, signal }))
    },
  })
  const shown = useRef<readonly KeptRollout[]>([])
  if (data !== undefined) shown.current = data.rollouts
  if (error !== null) return <ProblemBox error={error} />
  if (shown.current.length === 0) return null
  return (
    <Panel
      flush
      title="The last ones"
      aside={<a href={activityUrl({ team, kind: 'rollout' })}>All</a>}
    >
      <KeptRollouts all rollouts={shown.current} label="The last rollouts" />
    </Panel>
  )
}

export const Page = () => {
  const team = useTeam()
  const [open, setOpen] = useState<Readonly<Record<string, boolean>>>({})
  const shown = projects.rows.value
    .filter((one) => (team === undefined || one.team === team) && one.revision > 0)
    .toSorted(
      (a, b) =>
        Number(open[b.id] ?? false) - Number(open[a.id] ?? false) || a.name.localeCompare(b.name),
    )
  const count = shown.filter(({ id }) => open[id] === true).length
  return (
    <PageFrame
      windowTitle={`${count > 0 ? `◐ ${count}` : '●'} Rollouts`}
      title="Rollouts"
      tabs={<RolloutTabs current="Rollouts" />}
      state={
        <span class="muted num">
          {count === 0 ? 'nothing rolls' : `${count} of ${shown.length} not complete`}
        </span>
      }
    >
      <Listed
        of={projects}
        none={
          <Panel>
            <Empty title="Nothing rolls">
              A rollout begins with the first secret of a project.
            </Empty>
          </Panel>
        }
      >
        {shown.length > 0 && (
          <Panel flush>
            <ul class={s['rows']}>
              {shown.map((project) => (
                <Row
                  key={project.id}
                  project={project}
                  onOpen={(next) => {
                    if (open[project.id] !== next) setOpen({ ...open, [project.id]: next })
                  }}
                />
              ))}
            </ul>
          </Panel>
        )}
      </Listed>
      <Last team={team} />
    </PageFrame>
  )
}
