// All stacks with their services and containers, side by side.
import { useLocation } from 'preact-iso'
import { useMemo, useRef } from 'preact/hooks'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import { useShortcuts } from '../../session/keys.ts'
import { useQueryState, useTeam } from '../../session/team.ts'
import { projects, stagelets } from '../../live/collections.ts'
import { inTeam, mapKnown, someOf } from '../../live/known.ts'
import { NewButton } from '../../ui/form-buttons.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { projectUrl, stageletUrl } from '../../ui/text/links.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { shownRows, stackRevision, stackRow, type StackRow } from './rows.ts'
import s from './stacks.module.css'

const columns: readonly Column<StackRow>[] = [
  {
    id: 'stack',
    title: 'Stack',
    width: 'minmax(110px, 1fr)',
    render: ({ stack }) => (
      <a href={stageletUrl(stack)} tabIndex={-1}>
        {stack.project}/{stack.name}
      </a>
    ),
  },
  {
    id: 'state',
    title: 'State',
    width: 'minmax(96px, 160px)',
    render: ({ state }) => <StateText kind={state.kind}>{state.word}</StateText>,
  },
  {
    id: 'services',
    title: 'Services and containers',
    width: 'minmax(130px, 4fr)',
    render: ({ services }) => (
      <span class={s['services']}>
        {services.length === 0 ? <span class="muted">not reported yet</span> : null}
        {services.map(({ service: { name, containers = 1 }, state }) => (
          <StateText key={name} kind={state.kind} title={state.word}>
            {name}
            <span class="visually-hidden">: {state.word}</span>
            {containers === 1 ? null : <span class="muted num"> ×{containers}</span>}
          </StateText>
        ))}
      </span>
    ),
  },
  {
    id: 'revision',
    title: 'Revision',
    width: 'minmax(90px, 120px)',
    wide: true,
    render: (row) => <span class="num">{stackRevision(row)}</span>,
  },
  {
    id: 'environment',
    title: 'Environment',
    width: 'minmax(100px, 140px)',
    wide: true,
    render: ({ stack: { environment } }) => environment ?? <span class="muted">none</span>,
  },
  {
    id: 'machine',
    title: 'Machine',
    width: 'minmax(100px, 160px)',
    wide: true,
    render: ({ stack }) => stack.agent,
  },
]

const countText = (shown: number, all: number): string =>
  shown === all ? String(all) : `${shown} of ${all}`

export const Page = () => {
  const { route } = useLocation()
  const team = useTeam()
  const [filter = '', setFilter] = useQueryState('filter')
  const field = useRef<HTMLInputElement>(null)
  useShortcuts([{ keys: '/', does: 'Filter', run: () => (field.current?.focus(), true) }])
  const all = stagelets.list.value
  const declaring = projects.list.value
  const rows = useMemo(() => {
    const revisions = new Map(someOf(declaring).map((project) => [projectUrl(project), project]))
    const declaredOf = (stack: Stagelet): number | undefined =>
      revisions.get(projectUrl({ team: stack.team, name: stack.project }))?.revision
    return mapKnown(inTeam(all, team), (every) =>
      every.map((stack) => stackRow(stack, declaredOf(stack))),
    )
  }, [all, declaring, team])
  return (
    <PageFrame
      windowTitle="Stacks"
      title="Stacks"
      full
      actions={<NewButton kind="stack" resource="stagelets" />}
    >
      <WhenKnown
        value={rows}
        rows={8}
        none={
          <Panel>
            <Empty title="No stack yet">
              A stack is one Compose project on one machine. It gets the secrets of a project.
            </Empty>
          </Panel>
        }
      >
        {(every) => {
          const shown = shownRows(every, filter)
          return (
            <div class={s['page']}>
              <div class={s['bar']}>
                <input
                  ref={field}
                  type="search"
                  aria-label="Filter"
                  placeholder="name, project, environment, machine, service or state"
                  value={filter}
                  onInput={({ currentTarget }) => setFilter(currentTarget.value)}
                />
                <span class="muted num">{countText(shown.length, every.length)}</span>
              </div>
              <Grid
                label="Stacks"
                columns={columns}
                rows={shown}
                idOf={({ stack }) => stack.id}
                onOpen={({ stack }) => route(stageletUrl(stack))}
                empty="No stack has all of these words."
              />
            </div>
          )
        }}
      </WhenKnown>
    </PageFrame>
  )
}
