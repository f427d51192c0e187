// The newest revision of all projects: first what needs a person, then what rolls, then what is complete; the last
// rollouts, and how fast they were.
import { useState } from 'preact/hooks'
import { defined } from '../../../src/kernel/defined.ts'
import { useQueryState, useTeam } from '../../session/team.ts'
import type { Project } from '../../../src/generated/rest-types.ts'
import { projects } from '../../live/collections.ts'
import { inTeam, loading, mapKnown, partOf, someOf } from '../../live/known.ts'
import { activityUrl } from '../../ui/text/links.ts'
import { InlineKnown, WhenKnown } from '../../ui/when-known.tsx'
import { choosable, Choice, FilterBar } from '../../ui/fields/filter-bar.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { useKeptRollouts, useRollout } from './data.ts'
import { KeptRollouts } from './kept.tsx'
import { PropagationPanel, spans, usePropagation, usualSpan, verdictOfAll } from './propagation.tsx'
import { ProjectRollout } from './rollout.tsx'
import { isRolloutOpen } from './words.ts'
import s from './revisions.module.css'

interface RowProps {
  readonly project: Project
  readonly onOpen: (isOpen: boolean) => void
}

const Row = ({ project, onOpen }: RowProps) => {
  const { read, show } = useRollout(project)
  const rollout = partOf(read)
  if (rollout !== undefined) onOpen(isRolloutOpen(rollout))
  return (
    <li>
      <ProjectRollout project={project} read={read} show={show} />
    </li>
  )
}

const Last = () => {
  const chosen = defined({ team: useTeam(), project: useQueryState('project')[0] })
  return (
    <WhenKnown value={useKeptRollouts({ ...chosen, limit: 5 })} none={null}>
      {(rollouts) => (
        <Panel
          flush
          title="Recent rollouts"
          aside={<a href={activityUrl({ ...chosen, kind: 'rollout' })}>All</a>}
        >
          <KeptRollouts all rollouts={rollouts} label="Recent rollouts" />
        </Panel>
      )}
    </WhenKnown>
  )
}

const Filters = ({ all }: { readonly all: readonly Project[] }) => {
  const [project, setProject] = useQueryState('project')
  const [days = usualSpan, setDays] = useQueryState('days')
  return (
    <FilterBar label="Rollouts">
      <Choice
        label="Project"
        value={project}
        none="all"
        options={choosable(all, project)}
        onChoose={setProject}
      />
      <Choice label="Measured in the last" value={days} options={spans} onChoose={setDays} />
    </FilterBar>
  )
}

export const Page = () => {
  const [chosen] = useQueryState('project')
  const [open, setOpen] = useState<Readonly<Record<string, boolean>>>({})
  const measured = usePropagation()
  const inIt = inTeam(projects.list.value, useTeam())
  const shown = mapKnown(inIt, (all) =>
    all
      .filter(({ name, revision }) => revision > 0 && name === (chosen ?? name))
      .toSorted(
        (a, b) =>
          Number(open[b.id] ?? false) - Number(open[a.id] ?? false) || a.name.localeCompare(b.name),
      ),
  )
  const rolling = someOf(shown).filter(({ id }) => open[id] === true).length
  const isCounted = someOf(shown).every(({ id }) => open[id] !== undefined)
  const count = isCounted ? mapKnown(shown, ({ length }) => length) : loading
  const mark = count.state !== 'known' ? '◌' : rolling > 0 ? `◐ ${rolling}` : '●'
  const isMissed = partOf(mapKnown(measured, verdictOfAll)) === 'missed'
  return (
    <PageFrame
      windowTitle={`${mark} Rollouts${isMissed ? ', ▲ propagation' : ''}`}
      title="Rollouts"
      actions={<Filters all={someOf(inIt)} />}
      state={
        <InlineKnown value={count}>
          {(all) => (
            <span class="muted num">
              {rolling === 0 ? 'no rollout in progress' : `${rolling} of ${all} in progress`}
            </span>
          )}
        </InlineKnown>
      }
    >
      <WhenKnown
        value={shown}
        none={
          <Panel>
            <Empty title="No rollouts yet">The first secret of a project starts a rollout.</Empty>
          </Panel>
        }
      >
        {(all) => (
          <Panel flush>
            <ul class={s['rows']}>
              {all.map((project) => (
                <Row
                  key={project.id}
                  project={project}
                  onOpen={(next) => {
                    if (open[project.id] !== next)
                      setOpen((before) => ({ ...before, [project.id]: next }))
                  }}
                />
              ))}
            </ul>
          </Panel>
        )}
      </WhenKnown>
      <Last />
      <PropagationPanel measured={measured} />
    </PageFrame>
  )
}
