// Is everything as declared? First what is not, then what rolls now, then all projects.
import { useLocation } from 'preact-iso'
import { useTeam } from '../app/team.ts'
import { useShortcuts } from '../app/keys.ts'
import type { Agent, Stagelet } from '../../src/rest/types.ts'
import { agents, projects, stagelets } from '../live/collections.ts'
import { inTeam, mapKnown, someOf, together, type Known } from '../live/known.ts'
import { stageletState, type ShownState } from '../live/states.ts'
import { PageFrame, Panel, Skeleton } from '../ui/page.tsx'
import { stageletUrl } from '../ui/text/links.ts'
import { messageText } from '../ui/text/message.ts'
import { StateText } from '../ui/state.tsx'
import { Ago } from '../ui/time.tsx'
import { InlineKnown, WhenKnown } from '../ui/when-known.tsx'
import { FirstRun } from './overview/first-run.tsx'
import { firstSteps, isFirstRun } from './overview/first-steps.ts'
import { RecentActivity } from './overview/last-change.tsx'
import { Projects } from './overview/projects.tsx'
import { States } from './overview/states.tsx'
import s from './overview.module.css'

interface StageletWithState {
  readonly stagelet: Stagelet
  readonly state: ShownState
}

/** What a person should look at; below this weight things go on by themselves. */
const needsYou = 30

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

/** The first line of why; the page of the stagelet has the rest. */
const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

const AttentionRow = ({ stagelet, state }: StageletWithState) => (
  <li>
    <a href={stageletUrl(stagelet)} class={s['row']}>
      <span class={s['what']}>
        <StateText kind={state.kind}>{state.word}</StateText>
      </span>
      <span class={s['where']}>
        <b>
          {stagelet.project}/{stagelet.name}
        </b>
        <span class="muted"> on {stagelet.agent}</span>
      </span>
      <span class={s['why']}>{messageText(firstLine(state.why))}</span>
      <span class={`${s['when']} muted`}>
        <Ago at={state.since} />
      </span>
    </a>
  </li>
)

const Attention = ({ all }: { readonly all: readonly StageletWithState[] }) => (
  <Panel flush title={`${all.length} ${all.length === 1 ? 'thing needs' : 'things need'} you`}>
    <ul class={s['rows']}>
      {all.slice(0, 50).map((entry) => (
        <AttentionRow key={entry.stagelet.id} {...entry} />
      ))}
    </ul>
    {all.length > 50 ? <p class={s['more']}>and {all.length - 50} more</p> : null}
  </Panel>
)

const Rolling = ({ all }: { readonly all: readonly StageletWithState[] }) => (
  <Panel flush title="Rolling now">
    <ul class={s['rows']}>
      {all.map((entry) => (
        <AttentionRow key={entry.stagelet.id} {...entry} />
      ))}
    </ul>
  </Panel>
)

const agentsAway = (all: readonly Agent[]): number =>
  all.filter(({ conditions }) =>
    conditions.some(({ type, status }) => type === 'Ready' && status !== 'True'),
  ).length

/** Of the title of the window. */
const markOf = (all: Known<readonly StageletWithState[]>): string => {
  if (all.state === 'loading') return ''
  if (all.state === 'failed') return '◌ '
  const attention = all.value.filter(needsAPerson).length
  const rolling = all.value.filter(({ state }) => state.kind === 'run').length
  if (attention > 0) return `▲ ${attention} `
  return rolling > 0 ? `◐ ${rolling} ` : '● '
}

const needsAPerson = ({ state }: StageletWithState): boolean => state.weight >= needsYou

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

const Stacks = ({ all }: { readonly all: readonly StageletWithState[] }) => {
  const attention = all.filter(needsAPerson)
  const rolling = all.filter(({ state }) => state.kind === 'run')
  return (
    <>
      {attention.length > 0 ? (
        <Attention all={attention} />
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
  const worst = someOf(all).find(needsAPerson)
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
  const shown = inTeam(projects.list.value, team)
  const machines = inTeam(agents.list.value, team)
  const world = mapKnown(together(shown, all, machines), ([some, stacks, connected]) => ({
    projects: some,
    stacks: stacks.map(({ stagelet }) => stagelet),
    agents: connected,
  }))
  return (
    <PageFrame
      windowTitle={`${markOf(all)}Overview`}
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
          <WhenKnown value={all} what="The stagelets" none={null}>
            {(shown) => <Stacks all={shown} />}
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
