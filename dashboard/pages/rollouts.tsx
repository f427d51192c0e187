// Everything that moves, of all projects: first what needs a person, then what rolls, then what is complete.
import { useState } from 'preact/hooks'
import { defined } from '../../src/kernel/defined.ts'
import { useTeam } from '../session/team.ts'
import { api, must } from '../api/client.ts'
import type { KeptRollout, Project } from '../../src/generated/rest-types.ts'
import { projects, stagelets } from '../live/collections.ts'
import { inTeam, loading, mapKnown, partOf, someOf, type Known } from '../live/known.ts'
import { activityUrl, projectUrl } from '../ui/text/links.ts'
import { messageText } from '../ui/text/message.ts'
import { InlineKnown, WhenKnown } from '../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { RolloutTabs } from '../ui/tabs.tsx'
import { StateText } from '../ui/state.tsx'
import { useQuery } from '../ui/use-query.ts'
import { RolloutActions } from './rollouts/actions.tsx'
import { RolloutBar } from './rollouts/bar.tsx'
import { KeptRollouts } from './rollouts/kept.tsx'
import { isRolloutOpen, rolloutState, stopText } from './rollouts/rollout-words.ts'
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
  const { rollout: read, show } = useRollout(project)
  const rollout = partOf(read)
  if (rollout === undefined)
    return (
      <li class={s['row']}>
        <WhenKnown value={read} rows={1} />
      </li>
    )
  onOpen(isRolloutOpen(rollout))
  const [kind, word] = rolloutState(rollout)
  return (
    <li class={s['row']}>
      <div>
        <a href={rolloutUrl(project)}>
          <b>{project.name}</b>
        </a>{' '}
        <span class="muted num">{revisionText(rollout.revision)}</span>
        <div>
          <StateText kind={kind}>{word}</StateText>
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
  const last = useQuery<readonly KeptRollout[]>({
    key: ['last rollouts', team],
    refetchOn: someOf(stagelets.list.value).map(({ id, last_rollout: rollout }) => [
      id,
      rollout?.result,
    ]),
    read: async (signal) => {
      const query = { ...defined({ team }), limit: lastShown }
      return (await must(api.GET('/rollouts', { params: { query }, signal }))).rollouts
    },
  })
  return (
    <WhenKnown value={last} none={null}>
      {(rollouts) => (
        <Panel
          flush
          title="Recent rollouts"
          aside={<a href={activityUrl({ team, kind: 'rollout' })}>All</a>}
        >
          <KeptRollouts all rollouts={rollouts} label="Recent rollouts" />
        </Panel>
      )}
    </WhenKnown>
  )
}

interface Counts {
  readonly rolling: number
  readonly all: number
}

/** Known once the rollout of each project is. */
const openCount = (
  shown: Known<readonly Project[]>,
  open: Readonly<Record<string, boolean>>,
): Known<Counts> => {
  const counted = mapKnown(shown, (all) => ({
    rolling: all.filter(({ id }) => open[id] === true).length,
    all: all.length,
  }))
  return someOf(shown).every(({ id }) => open[id] !== undefined) ? counted : loading
}

/** Of the title of the window. */
const markOf = (count: Known<Counts>): string => {
  if (count.state !== 'known') return '◌'
  return count.value.rolling > 0 ? `◐ ${count.value.rolling}` : '●'
}

export const Page = () => {
  const team = useTeam()
  const [open, setOpen] = useState<Readonly<Record<string, boolean>>>({})
  const shown = mapKnown(inTeam(projects.list.value, team), (all) =>
    all
      .filter(({ revision }) => revision > 0)
      .toSorted(
        (a, b) =>
          Number(open[b.id] ?? false) - Number(open[a.id] ?? false) || a.name.localeCompare(b.name),
      ),
  )
  const count = openCount(shown, open)
  return (
    <PageFrame
      windowTitle={`${markOf(count)} Rollouts`}
      title="Rollouts"
      tabs={<RolloutTabs current="Rollouts" />}
      state={
        <InlineKnown value={count}>
          {({ rolling, all }) => (
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
      <Last team={team} />
    </PageFrame>
  )
}
