// Rollouts that are kept: what each did, how it ended, and whose values are to blame.
import { withQuery } from '../../app/team.ts'
import type { KeptRollout } from '../../api/types.ts'
import { revisionUrl, stageletUrl } from '../../ui/links.ts'
import { State, type StateKind } from '../../ui/state.tsx'
import { Table, type TableColumn } from '../../ui/table.tsx'
import { Ago, lengthOf } from '../../ui/time.tsx'
import s from './rollouts.module.css'

type Result = KeptRollout['result']

const results: Readonly<Record<Result, readonly [StateKind, string]>> = {
  Progressing: ['run', 'Rolling'],
  Healthy: ['ok', 'Healthy'],
  Failed: ['fail', 'Failed'],
  RolledBack: ['fail', 'Rolled back'],
  Superseded: ['wait', 'Overtaken'],
  Unknown: ['unknown', 'Unknown'],
}
const causes = {
  NewRevision: 'new revision',
  ComposeFile: 'Compose file',
  Drift: 'healing',
} as const satisfies Record<KeptRollout['cause'], string>

/** `3.9 s` below a minute: rollouts are compared by it. */
export const tookText = (from: string | undefined, to: string | undefined): string => {
  const ms = Date.parse(to ?? '') - Date.parse(from ?? '')
  if (Number.isNaN(ms)) return '–'
  return ms < 60_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : lengthOf(ms)
}

const Touched = ({ rollout }: { readonly rollout: KeptRollout }) => {
  const touched = rollout.services.filter(({ what }) => what !== 'untouched')
  const untouched = rollout.services.length - touched.length
  return (
    <>
      {touched.length === 0 ? 'no container' : touched.map(({ name }) => name).join(', ')}
      {untouched === 0 ? null : <small>{untouched} untouched</small>}
    </>
  )
}

const Blame = ({ rollout }: { readonly rollout: KeptRollout }) => {
  const { blame, message, stagelet, team } = rollout
  if (blame === undefined && message === undefined) return <span class="muted">–</span>
  const why = stageletUrl({ team, name: stagelet })
  return (
    <>
      {blame === undefined ? null : (
        <p>
          <b>{blame.service}</b>
          {blame.keys.map((key) => (
            <>
              {' '}
              <a class="mono" href={withQuery(why, { tab: 'why', service: blame.service, key })}>
                {key}
              </a>
            </>
          ))}
          {blame.authors.length === 0 ? null : (
            <span class="muted"> set by {blame.authors.join(', ')}</span>
          )}
        </p>
      )}
      {message === undefined ? null : (
        <details>
          <summary>What it said</summary>
          <pre class={s['said']} tabIndex={0}>
            {message}
          </pre>
        </details>
      )}
    </>
  )
}

const where: TableColumn<KeptRollout> = {
  title: 'Stagelet',
  render: ({ team, project, stagelet }) => (
    <a href={stageletUrl({ team, name: stagelet })}>{`${project}/${stagelet}`}</a>
  ),
}

const columns: readonly TableColumn<KeptRollout>[] = [
  {
    title: 'Result',
    head: true,
    render: ({ result }) => {
      const [kind, word] = results[result]
      return <State kind={kind}>{word}</State>
    },
  },
  {
    title: 'Revision',
    render: ({ team, project, revision }) => (
      <a href={revisionUrl({ team, name: project }, revision)}>{`r${revision}`}</a>
    ),
  },
  { title: 'When', render: ({ finished_at: at, started_at: from }) => <Ago at={at ?? from} /> },
  {
    title: 'Took',
    wide: true,
    render: ({ started_at: from, finished_at: to }) => (
      <span class="num">{tookText(from, to)}</span>
    ),
  },
  {
    title: 'Cause',
    wide: true,
    render: ({ cause, by }) => (
      <>
        {causes[cause]}
        {by.length === 0 ? null : <small>by {by.join(', ')}</small>}
      </>
    ),
  },
  { title: 'Re-created', wide: true, render: (rollout) => <Touched rollout={rollout} /> },
  { title: 'To blame', render: (rollout) => <Blame rollout={rollout} /> },
]

/** `all`: of many stagelets, so that each is named. */
export const KeptRollouts = ({
  rollouts,
  all,
  label,
}: {
  readonly rollouts: readonly KeptRollout[]
  readonly all?: boolean
  readonly label: string
}) => (
  <Table
    label={label}
    rows={rollouts}
    idOf={({ id }) => id}
    columns={all === true ? [columns[0]!, where, ...columns.slice(1)] : columns}
  />
)
