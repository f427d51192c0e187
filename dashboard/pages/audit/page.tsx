// The audit log: who did what, and the proof that no row was changed.
import { useLocation } from 'preact-iso'
import { useEffect, useRef } from 'preact/hooks'
import type { AuditRow } from '../../../src/generated/rest-types.ts'
import { api, must } from '../../api/client.ts'
import { useTeam, withQuery } from '../../session/team.ts'
import { now } from '../../api/clock.ts'
import { mapKnown, partOf } from '../../live/known.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { CopyCommand } from '../../ui/copy.tsx'
import { Choice, FilterBar } from '../../ui/fields/filter-bar.tsx'
import { ListPanel } from '../../ui/list.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { visibleText } from '../../ui/text/visible-text.ts'
import { StateText } from '../../ui/state.tsx'
import { DataTable } from '../../ui/table.tsx'
import { Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { detailWords, filterFields, useAuditState, useRows, type EventFilter } from './rows.ts'
import { VerifyPanel } from './verify-panel.tsx'
import s from './audit.module.css'

const objectOf = ({ object: { kind, namespace, name } }: AuditRow): string =>
  [kind, namespace === '' ? name : `${namespace}/${name}`].join(' ')

/** What the row says beside: a name and a value each. */
const Detail = ({ detail }: { readonly detail: Readonly<Record<string, unknown>> }) => (
  <dl class={s['detail']}>
    {detailWords(detail).map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{visibleText(value)}</dd>
      </div>
    ))}
  </dl>
)

const Rows = ({ rows }: { readonly rows: readonly AuditRow[] }) => (
  <DataTable
    label="Audit events, newest first"
    rows={rows}
    idOf={({ seq }) => String(seq)}
    columns={[
      { title: 'Row', head: true, render: ({ seq }) => <span class="num">{seq}</span> },
      { title: 'When', render: ({ at }) => <Since at={at} /> },
      {
        title: 'Actor',
        render: ({ actor }) => (
          <>
            {actor.name}
            <small>{actor.source === 'api' ? actor.address : actor.source}</small>
          </>
        ),
      },
      {
        title: 'Action',
        render: (row) =>
          row.result === 'denied' ? (
            <StateText kind="fail">denied: {row.action}</StateText>
          ) : (
            row.action
          ),
      },
      {
        title: 'Object',
        render: (row) => (
          <>
            {objectOf(row)}
            {row.detail === undefined ? null : <Detail detail={row.detail} />}
          </>
        ),
      },
    ]}
  />
)

const useFilter = (): readonly [EventFilter, (change: EventFilter) => void] => {
  const { query, url, route } = useLocation()
  const filter: EventFilter = {}
  for (const field of filterFields) {
    const given = query[field]
    if (given !== undefined && given !== '') filter[field] = given
  }
  const set = (change: EventFilter): void => route(withQuery(url, change), true)
  return [filter, set]
}

const labels = { by: 'Actor', action: 'Action', kind: 'Kind', name: 'Name' } as const
const since = [
  ['1h', '1 hour ago'],
  ['24h', '24 hours ago'],
  ['7d', '7 days ago'],
  ['30d', '30 days ago'],
] as const
const words = ['by', 'action', 'kind', 'name'] as const

/** What is being typed stays while rows come; another address replaces it. */
const Word = ({
  label,
  value,
  set,
}: {
  readonly label: string
  readonly value: string
  readonly set: (value: string) => void
}) => {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (input.current !== null) input.current.value = value
  }, [value])
  return (
    <label>
      {label}
      <input ref={input} onChange={(event) => set(event.currentTarget.value.trim())} />
    </label>
  )
}

const Filters = ({
  filter,
  set,
}: {
  readonly filter: EventFilter
  readonly set: (change: EventFilter) => void
}) => (
  <div class={s['filter']}>
    <FilterBar label="Filter events">
      {words.map((field) => (
        <Word
          key={field}
          label={labels[field]}
          value={filter[field] ?? ''}
          set={(value) => set({ [field]: value })}
        />
      ))}
      <Choice
        label="Result"
        value={filter.result}
        none="any"
        options={['success', 'denied']}
        onChoose={(result) => set({ result })}
      />
      <Choice
        label="Since"
        value={filter.since}
        none="the beginning"
        options={since}
        onChoose={(value) => set({ since: value })}
      />
    </FilterBar>
  </div>
)

/** How many rows came since the list was read; rows never jump by themselves. */
const useNewRows = (newest: number | undefined): number => {
  const linked = partOf(useAuditState())?.linked_to ?? 0
  return newest === undefined ? 0 : Math.max(0, linked - newest)
}

/** What somebody has read, and should be rotated when they leave. */
const Revealed = ({ by }: { readonly by: string }) => {
  const revealed = useQuery({
    key: ['revealed', by],
    read: (signal) =>
      must(api.GET('/audit/revealed', { params: { query: { by, limit: 1000 } }, signal })),
  })
  return (
    <ListPanel
      title={`Values that ${by} has read`}
      label={`Values that ${by} has read`}
      rows={mapKnown(revealed, ({ secrets }) => secrets)}
      idOf={({ id }) => id}
      columns={[
        { title: 'Key', head: true, render: ({ key }) => <code>{key}</code> },
        {
          title: 'Place',
          render: ({ namespace, project, scope }) => `${namespace}/${project}, ${scope}`,
        },
        { title: 'Last read', render: ({ last_read_at: at }) => <Since at={at} /> },
        {
          title: 'Current value',
          render: ({ knows_current: knows, version }) =>
            knows ? (
              <StateText kind="warn">v{version} is current: rotate it</StateText>
            ) : (
              <StateText kind="ok">replaced</StateText>
            ),
        },
      ]}
      empty={<Empty title={`${by} has read no values`} />}
    />
  )
}

const isRestricted = (filter: EventFilter): boolean => Object.keys(filter).length > 0

export const Page = () => {
  const team = useTeam()
  const [filter, set] = useFilter()
  const { rows, isReading, isWhole, more, reload } = useRows(filter, team, now)
  const isFiltered = isRestricted(filter) || team !== undefined
  const fresh = useNewRows(isFiltered ? undefined : partOf(rows)?.[0]?.seq)
  return (
    <PageFrame
      windowTitle="Audit"
      title="Audit"
      actions={
        <LinkButton href="/api/v1/audit/export" download="audit.jsonl">
          Export
        </LinkButton>
      }
    >
      <VerifyPanel />
      {filter.by === undefined ? null : <Revealed key={filter.by} by={filter.by} />}
      <Panel
        flush
        title="Events"
        aside={
          fresh > 0 ? (
            <Button small onPress={reload}>
              {fresh} new
            </Button>
          ) : (
            <Button small variant="quiet" busy={isReading} onPress={reload}>
              Refresh
            </Button>
          )
        }
      >
        <Filters filter={filter} set={set} />
        <WhenKnown value={rows} none={<Empty title="No matching events" />}>
          {(all) => <Rows rows={all} />}
        </WhenKnown>
        {isWhole ? null : (
          <div class={s['more']}>
            <Button busy={isReading} onPress={more}>
              Show older events
            </Button>
          </div>
        )}
      </Panel>
      <Panel title="Keep a signed head">
        <p class="muted">
          Save the signed head every day, in a place where administrators of the database cannot
          write. A later verification then finds rows that were cut off.
        </p>
        <CopyCommand text="stagely admin audit head > audit.head" />
      </Panel>
    </PageFrame>
  )
}
