// Is everything as declared? First what is not, then what rolls now, then all projects.
import { useLocation } from 'preact-iso'
import { useAttention, type Needing } from './overview/needing.ts'
import { useTeam } from '../session/team.ts'
import { useShortcuts } from '../session/keys.ts'
import type { Agent, Stagelet } from '../../src/generated/rest-types.ts'
import { agents, projects, stagelets } from '../live/collections.ts'
import { inTeam, mapKnown, someOf, together, type Known } from '../live/known.ts'
import { stageletState, type ShownState } from '../live/states.ts'
import { PageFrame, Panel, Skeleton } from '../ui/page.tsx'
import { stageletUrl } from '../ui/text/links.ts'
import { StateText } from '../ui/state.tsx'
import { InlineKnown, WhenKnown } from '../ui/when-known.tsx'
import { AttentionPanel, urlOf } from './overview/attention.tsx'
import { FirstRun } from './overview/first-run.tsx'
import { firstSteps, isFirstRun } from './overview/first-steps.ts'
import { RecentActivity } from './overview/last-change.tsx'
import { Projects } from './overview/projects.tsx'
import { OverviewRow } from './overview/row.tsx'
import { States } from './overview/states.tsx'
import s from './overview.module.css'

interface StageletWithState {
  readonly stagelet: Stagelet
  readonly state: ShownState
}

const byWeight = (a: StageletWithState, b: StageletWithState): number =>
  b.state.weight - a.state.weight ||
  (b.state.since ?? '').localeCompare(a.state.since ?? '') ||
  a.stagelet.name.localeCompare(b.stagelet.name)

const useStageletStates = (): Known<readonly StageletWithState[]> => {
  const team = useTeam()
  return mapKnown(inTeam(stagelets.list.value, team), (all) =>
    all.map((stagelet) => ({ stagelet, state: stageletState(stagelet) })).sort(byWeight),
  )
}

const Rolling = ({ all }: { readonly all: readonly StageletWithState[] }) => (
  <Panel flush title="Rolling now">
    <ul class={s['rows']}>
      {all.map(({ stagelet, state }) => (
        <OverviewRow
          key={stagelet.id}
          href={stageletUrl(stagelet)}
          state={state}
          name={`${stagelet.project}/${stagelet.name}`}
          about={`on ${stagelet.agent}`}
          why={state.why}
          since={state.since}
        />
      ))}
    </ul>
  </Panel>
)

const agentsAway = (all: readonly Agent[]): number =>
  all.filter(({ conditions }) =>
    conditions.some(({ type, status }) => type === 'Ready' && status !== 'True'),
  ).length

/** Of the title of the window. */
const markOf = (seen: Known<Seen>): string => {
  if (seen.state === 'loading') return ''
  if (seen.state === 'failed') return '◌ '
  const { needing, all } = seen.value
  const rolling = all.filter(isRolling).length
  if (needing.length > 0) return `▲ ${needing.length} `
  return rolling > 0 ? `◐ ${rolling} ` : '● '
}

const isRolling = ({ state }: StageletWithState): boolean => state.kind === 'run'

interface Seen {
  readonly all: readonly StageletWithState[]
  readonly needing: readonly Needing[]
}

const Counted = ({ all }: { readonly all: Known<readonly StageletWithState[]> }) => {
  const team = useTeam()
  const machines = inTeam(agents.list.value, team)
  return (
    <InlineKnown value={together(all, machines)}>
      {([counted, connected]) => {
        const away = agentsAway(connected)
        return (
          <span class="muted num">
            {counted.length} {counted.length === 1 ? 'stagelet' : 'stagelets'} on {connected.length}{' '}
            {connected.length === 1 ? 'agent' : 'agents'}
            {away > 0 ? `, ${away} away` : ''}
          </span>
        )
      }}
    </InlineKnown>
  )
}

const Stacks = ({ all, needing }: Seen) => {
  const rolling = all.filter(isRolling)
  return (
    <>
      {needing.length > 0 ? (
        <AttentionPanel all={needing} stagelets={all.map(({ stagelet }) => stagelet)} />
      ) : all.length > 0 ? (
        <AllWell rolling={rolling.length} />
      ) : null}
      {rolling.length === 0 ? null : <Rolling all={rolling} />}
    </>
  )
}

export const Page = () => {
  const { route } = useLocation()
  const team = useTeam()
  const all = useStageletStates()
  const attention = useAttention(team)
  const seen = mapKnown(together(all, attention), ([stacks, rows]) => ({
    all: stacks,
    needing: rows,
  }))
  const worst = someOf(attention)[0]
  useShortcuts([
    {
      keys: 'Enter',
      does: 'Go to the worst thing',
      run: () => {
        if (worst === undefined || document.activeElement !== document.body) return false
        route(urlOf(worst.row))
        return true
      },
    },
  ])
  const shown = inTeam(projects.list.value, team)
  const machines = inTeam(agents.list.value, team)
  const world = mapKnown(together(shown, all, machines), ([some, stacks, connected]) => ({
    projects: some,
    stacks: stacks.map(({ stagelet }) => stagelet),
    agents: connected,
  }))
  return (
    <PageFrame
      windowTitle={`${markOf(seen)}Overview`}
      title="Overview"
      state={
        <InlineKnown value={all}>
          {(shown) => <States stagelets={shown.map(({ stagelet }) => stagelet)} words />}
        </InlineKnown>
      }
      actions={<Counted all={all} />}
    >
      {world.state === 'loading' ? (
        // Nothing jumps: parts are shown once all of them are known.
        <Skeleton rows={8} />
      ) : world.state === 'known' && isFirstRun(world.value) ? (
        <FirstRun steps={firstSteps(world.value)} />
      ) : (
        <>
          <WhenKnown value={seen} what="What needs you" none={null}>
            {(shown) => <Stacks {...shown} />}
          </WhenKnown>
          <WhenKnown value={shown} what="The projects" none={null}>
            {(shown) => <Projects projects={shown} />}
          </WhenKnown>
          <RecentActivity />
        </>
      )}
    </PageFrame>
  )
}

const AllWell = ({ rolling }: { readonly rolling: number }) => (
  <p class={s['well']}>
    <StateText kind="ok">
      {rolling === 0 ? 'What runs is what is declared.' : 'Nothing needs you.'}
    </StateText>
  </p>
)
