// How fast a change comes to containers, as measured, against what is promised.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { Propagation } from '../../../src/generated/rest-types.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { api, must } from '../../api/client.ts'
import { now } from '../../api/clock.ts'
import { projects } from '../../live/collections.ts'
import { inTeam, mapKnown, partOf, someOf } from '../../live/known.ts'
import { useQueryState, useTeam } from '../../session/team.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { RolloutTabs } from '../../ui/tabs.tsx'
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
  type Stage,
  type ObjectiveVerdict,
} from './words.ts'
import s from './propagation.module.css'

const dayMs = 86_400_000
const spans = { '1': 'a day', '7': '7 days', '30': '30 days', '90': '90 days' } as const
const usual = '30'

const useSlo = () => {
  const team = useTeam()
  const [project] = useQueryState('project')
  const [days = usual] = useQueryState('days')
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

const Choice = () => {
  const team = useTeam()
  const [project = '', setProject] = useQueryState('project')
  const [days = usual, setDays] = useQueryState('days')
  const names = someOf(inTeam(projects.list.value, team)).map(({ name }) => name)
  return (
    <div class={s['choice']}>
      <select
        aria-label="Project"
        value={project}
        onChange={(event) => setProject(event.currentTarget.value)}
      >
        <option value="">all projects</option>
        {[...new Set(names)].sort().map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
      <select
        aria-label="Since"
        value={days}
        onChange={(event) => setDays(event.currentTarget.value)}
      >
        {Object.entries(spans).map(([value, text]) => (
          <option value={value}>the last {text}</option>
        ))}
      </select>
    </div>
  )
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

const Promised = ({
  measured,
  count,
}: {
  readonly measured: MeasuredObjective
  readonly count: number
}) => {
  const verdict = verdictOf(measured, count)
  const { objective, within_ms: within, target, share, p50_ms, p99_ms, max_ms } = measured
  return (
    <Panel>
      <div class={s['promise']}>
        <p class={s['what']}>{objectiveWords[objective]}</p>
        <p class={s['share']}>
          {percentOf(share)} <small>within {timeOf(within)}</small>
        </p>
        <div
          class={s['meter']}
          role="img"
          aria-label={`${percentOf(share)} within ${timeOf(within)}, target ${percentOf(target)}`}
        >
          <i
            class={s[verdict === 'missed' ? 'missed' : 'met']}
            style={{ width: `${(share ?? 0) * 100}%` }}
          />
          <b style={{ left: `${target * 100}%` }} />
        </div>
        <p class={s['under']}>
          <Result verdict={verdict} />
          <span class="muted">
            target: {percentOf(target)}
            {verdict === 'few' ? `; ${count} of at least ${fewestOf(target)} samples` : ''}
          </span>
        </p>
        <p class="muted num">
          median {timeOf(p50_ms)} · p99 {timeOf(p99_ms)} · maximum {timeOf(max_ms)}
        </p>
      </div>
    </Panel>
  )
}

/** From nothing to the longest of all stages; the median is dark, 99 % lighter, the longest a line. */
const Range = ({ stage, longest }: { readonly stage: Stage; readonly longest: number }) => {
  const part = (ms = 0): string => `${longest === 0 ? 0 : (ms / longest) * 100}%`
  return (
    <div class={s['range']} aria-hidden="true">
      <i class={s['most']} style={{ width: part(stage.p99_ms) }} />
      <i class={s['half']} style={{ width: part(stage.p50_ms) }} />
      <b style={{ left: part(stage.max_ms) }} />
    </div>
  )
}

const Stages = ({ stages }: Pick<Propagation, 'stages'>) => {
  const longest = Math.max(0, ...stages.map(({ max_ms: ms = 0 }) => ms))
  return (
    <DataTable
      label="Stages"
      rows={stages}
      idOf={({ stage }) => stage}
      columns={[
        {
          title: 'Stage',
          head: true,
          render: ({ stage }) => (
            <>
              {stageWords[stage][0]}
              <small>{stageWords[stage][1]}</small>
            </>
          ),
        },
        { title: 'Median', end: true, render: ({ p50_ms: ms }) => timeOf(ms) },
        { title: 'p99', end: true, render: ({ p99_ms: ms }) => timeOf(ms) },
        { title: 'Maximum', end: true, render: ({ max_ms: ms }) => timeOf(ms) },
        {
          title: 'Distribution',
          wide: true,
          render: (stage) => <Range stage={stage} longest={longest} />,
        },
      ]}
    />
  )
}

const LeftOut = ({ left_out: rows }: Pick<Propagation, 'left_out'>) => (
  <DataTable
    label="Not counted"
    rows={rows}
    idOf={({ because }) => because}
    columns={[
      { title: 'Reason', head: true, render: ({ because }) => leftOutWord(because) },
      { title: 'Changes', end: true, render: ({ count }) => count },
    ]}
  />
)

/** Of all that is promised: the worst that is known. */
const verdictOfAll = ({ objectives, proven }: Propagation): ObjectiveVerdict => {
  const all = objectives.map((objective) => verdictOf(objective, proven))
  return (['missed', 'few', 'nothing'] as const).find((verdict) => all.includes(verdict)) ?? 'met'
}

const marks: Readonly<Record<ObjectiveVerdict, string>> = {
  missed: '▲ ',
  met: '● ',
  few: '',
  nothing: '',
}

export const Page = () => {
  const slo = useSlo()
  const verdict = partOf(mapKnown(slo, verdictOfAll))
  return (
    <PageFrame
      windowTitle={`${verdict === undefined ? '' : marks[verdict]}Propagation`}
      title="Propagation"
      tabs={<RolloutTabs current="Propagation" />}
      state={verdict === undefined ? null : <Result verdict={verdict} />}
      actions={<Choice />}
    >
      <WhenKnown value={slo}>
        {({ proven, objectives, stages, left_out }) => (
          <>
            {proven === 0 ? (
              <Panel>
                <Empty title="No data in this period">
                  Each change that comes to containers is measured: when it was closed, when Compose
                  began, when the last container was healthy, and when all labels were read.
                </Empty>
              </Panel>
            ) : (
              <>
                <div class={s['promises']}>
                  {objectives.map((objective) => (
                    <Promised key={objective.objective} measured={objective} count={proven} />
                  ))}
                </div>
                <Panel
                  flush
                  title="Time by stage"
                  aside={<span class="muted num">{proven} measured changes</span>}
                >
                  <Stages stages={stages} />
                </Panel>
              </>
            )}
            {left_out.length === 0 ? null : (
              <Panel
                flush
                title="Not counted"
                aside={<span class="muted">changes that waited, failed or were superseded</span>}
              >
                <LeftOut left_out={left_out} />
              </Panel>
            )}
          </>
        )}
      </WhenKnown>
    </PageFrame>
  )
}
