// Is everything as declared? First what is not, then what rolls now, then all projects.
import { useLocation } from 'preact-iso'
import { useTeam } from '../app/team.ts'
import { useShortcuts } from '../app/keys.ts'
import type { Agent, Stagelet } from '../../../src/rest/types.ts'
import { agents, projects, stagelets } from '../live/collections.ts'
import { stageletState, type ShownState } from '../live/states.ts'
import { Empty, PageFrame, Panel, Skeleton } from '../ui/page.tsx'
import { ProblemBox } from '../ui/problem.tsx'
import { Command } from '../ui/copy.tsx'
import { stageletUrl } from '../ui/links.ts'
import { messageText } from '../ui/message.ts'
import { State } from '../ui/state.tsx'
import { Ago } from '../ui/time.tsx'
import { Lately } from './overview/lately.tsx'
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

const useStageletStates = (): readonly StageletWithState[] => {
  const team = useTeam()
  return stagelets.rows.value
    .filter((one) => team === undefined || one.team === team)
    .map((stagelet) => ({ stagelet, state: stageletState(stagelet) }))
    .sort(byWeight)
}

/** The first line of why; the page of the stagelet has the rest. */
const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

const AttentionRow = ({ stagelet, state }: StageletWithState) => (
  <li>
    <a href={stageletUrl(stagelet)} class={s['row']}>
      <span class={s['what']}>
        <State kind={state.kind}>{state.word}</State>
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
      {all.slice(0, 50).map((one) => (
        <AttentionRow key={one.stagelet.id} {...one} />
      ))}
    </ul>
    {all.length > 50 ? <p class={s['more']}>and {all.length - 50} more</p> : null}
  </Panel>
)

const Rolling = ({ all }: { readonly all: readonly StageletWithState[] }) => (
  <Panel flush title="Rolling now">
    <ul class={s['rows']}>
      {all.map((one) => (
        <AttentionRow key={one.stagelet.id} {...one} />
      ))}
    </ul>
  </Panel>
)

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
  const all = useStageletStates()
  const attention = all.filter(({ state }) => state.weight >= needsYou)
  const rolling = all.filter(({ state }) => state.kind === 'run')
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
  const isEmpty = !isReading && projects.rows.value.length === 0 && all.length === 0
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
      state={<States of={all.map(({ stagelet }) => stagelet)} words />}
      actions={
        !isCounted ? null : (
          <span class="muted num">
            {all.length} {all.length === 1 ? 'stagelet' : 'stagelets'} on {agents.rows.value.length}{' '}
            {agents.rows.value.length === 1 ? 'agent' : 'agents'}
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
            <Attention all={attention} />
          ) : all.length > 0 ? (
            <AllWell rolling={rolling.length} />
          ) : null}
          {rolling.length === 0 ? null : <Rolling all={rolling} />}
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
