// How fast a change comes to containers, as measured, against what is promised.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { Propagation } from '../../../src/generated/rest-types.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { api, must } from '../../api/client.ts'
import { now } from '../../api/clock.ts'
import { mapKnown, type Known } from '../../live/known.ts'
import { useQueryState, useTeam } from '../../session/team.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { DataTable } from '../../ui/table.tsx'
import { useQuery } from '../../ui/use-query.ts'
import {
  fewestOf,
  leftOutWord,
  objectiveWords,
  percentOf,
  stageWords,
  timeOf,
  verdictOf,
  type MeasuredObjective,
  type ObjectiveVerdict,
  type Stage,
} from './propagation-words.ts'
import s from './revisions.module.css'

const dayMs = 86_400_000
export const spans = [
  ['1', 'day'],
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
] as const
export const usualSpan = '30'

export const usePropagation = (): Known<Propagation> => {
  const team = useTeam()
  const [project] = useQueryState('project')
  const [days = usualSpan] = useQueryState('days')
  return useQuery<Propagation>({
    key: ['slo', team, project, days],
    pollSeconds: 60,
    read: (signal) => {
      const since = toFineTimestamp(now() - Number(days) * dayMs)
      const query = { ...defined({ team, project }), since }
      return must(api.GET('/slo', { params: { query }, signal }))
    },
  })
}

const results = {
  nothing: ['wait', 'No data'],
  met: ['ok', 'Met'],
  missed: ['fail', 'Missed'],
  few: ['wait', 'Not enough data'],
} as const

const Result = ({ verdict }: { readonly verdict: ObjectiveVerdict }) => {
  const [kind, word] = results[verdict]
  return <StateText kind={kind}>{word}</StateText>
}

const Share = ({ share, target, within_ms: within, is_met: isMet }: MeasuredObjective) => {
  const text = `${percentOf(share)} within ${timeOf(within)}`
  return (
    <>
      {text}
      <div class={s['meter']} role="img" aria-label={`${text}, target ${percentOf(target)}`}>
        <i
          class={s[isMet === false ? 'missed' : 'met']}
          style={{ width: `${(share ?? 0) * 100}%` }}
        />
        <b style={{ left: `${target * 100}%` }} />
      </div>
    </>
  )
}

/** From nothing to the longest of all stages; the median is dark, 99 % lighter, the longest a line. */
const Range = ({ stage, longest }: { readonly stage: Stage; readonly longest: number }) => {
  const part = (ms = 0): string => `${longest === 0 ? 0 : (ms / longest) * 100}%`
  return (
    <div class={s['meter']} aria-hidden="true">
      <i class={s['most']} style={{ width: part(stage.p99_ms) }} />
      <i class={s['half']} style={{ width: part(stage.p50_ms) }} />
      <b style={{ left: part(stage.max_ms) }} />
    </div>
  )
}

const Promised = ({ of, count }: { readonly of: MeasuredObjective; readonly count: number }) => {
  const verdict = verdictOf(of, count)
  return (
    <>
      <Result verdict={verdict} /> <Share {...of} />
      <small>
        target: {percentOf(of.target)}
        {verdict === 'few' ? `; ${count} of at least ${fewestOf(of.target)} samples` : ''}
      </small>
    </>
  )
}

/** What is promised, and the stages. */
const Measured = ({ objectives, stages, proven }: Propagation) => {
  const longest = Math.max(0, ...stages.map(({ max_ms: ms = 0 }) => ms))
  const promised = objectives.map((of) => ({
    ...of,
    words: [objectiveWords[of.objective], ''] as const,
    shown: <Promised of={of} count={proven} />,
  }))
  const ofStages = stages.map((stage) => ({
    ...stage,
    words: stageWords[stage.stage],
    shown: <Range stage={stage} longest={longest} />,
  }))
  return (
    <DataTable
      label="Time by stage"
      stacks
      rows={[...promised, ...ofStages]}
      idOf={({ words: [name] }) => name}
      columns={[
        {
          title: 'Stage',
          head: true,
          render: ({ words: [name, does] }) => (
            <>
              {name}
              <small>{does}</small>
            </>
          ),
        },
        { title: 'Median', end: true, render: ({ p50_ms: ms }) => timeOf(ms) },
        { title: 'p99', end: true, render: ({ p99_ms: ms }) => timeOf(ms) },
        { title: 'Maximum', end: true, render: ({ max_ms: ms }) => timeOf(ms) },
        { title: 'Distribution', render: ({ shown }) => shown },
      ]}
    />
  )
}

const LeftOut = ({ left_out: rows }: Propagation) => (
  <DataTable
    label="Not counted"
    rows={rows}
    idOf={({ because }) => because}
    columns={[
      {
        title: 'Not counted: changes that waited, failed or were superseded',
        head: true,
        render: ({ because }) => leftOutWord(because),
      },
      { title: 'Changes', end: true, render: ({ count }) => count },
    ]}
  />
)

/** Of all that is promised: the worst that is known. */
export const verdictOfAll = ({ objectives, proven }: Propagation): ObjectiveVerdict => {
  const all = objectives.map((objective) => verdictOf(objective, proven))
  return (['missed', 'few', 'nothing'] as const).find((verdict) => all.includes(verdict)) ?? 'met'
}

export const PropagationPanel = ({ measured }: { readonly measured: Known<Propagation> }) => (
  <Panel
    flush
    title="Propagation"
    aside={
      <WhenKnown value={mapKnown(measured, verdictOfAll)} rows={0}>
        {(verdict) => <Result verdict={verdict} />}
      </WhenKnown>
    }
  >
    <WhenKnown value={measured}>
      {(all) => (
        <>
          {all.proven === 0 ? (
            <Empty title="No data in this period">
              Each change that comes to containers is measured: when it was closed, when Compose
              began, when the last container was healthy, and when all labels were read.
            </Empty>
          ) : (
            <>
              <Measured {...all} />
              <p class={s['note']}>{all.proven} measured changes</p>
            </>
          )}
          {all.left_out.length === 0 ? null : <LeftOut {...all} />}
        </>
      )}
    </WhenKnown>
  </Panel>
)
