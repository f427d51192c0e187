// A list of objects: a page of it, or a panel. How many there are and how many need attention stand in the heading and
// in the title of the window.
import type { ComponentChild } from 'preact'
import { mapKnown, partOf, type Known } from '../live/known.ts'
import { PageFrame, Panel } from './page.tsx'
import { StateText } from './state.tsx'
import { DataTable, type TableProps } from './table.tsx'
import { InlineKnown, WhenKnown } from './when-known.tsx'
import s from './table.module.css'

interface PanelProps<T> extends Omit<TableProps<T>, 'rows'> {
  readonly rows: Known<readonly T[]>
  /** In place of an empty list. */
  readonly empty: ComponentChild
  readonly title?: string
  readonly aside?: ComponentChild
  /** `The stagelets`, where a page shows several lists. */
  readonly what?: string
  /** No more rows than these are drawn. */
  readonly most?: number
}

export const ListPanel = <T,>({
  rows,
  empty,
  title,
  aside,
  what,
  most = Infinity,
  ...table
}: PanelProps<T>) => (
  <Panel flush title={title} aside={aside}>
    <WhenKnown value={rows} none={empty} {...(what !== undefined && { what })}>
      {(all) => (
        <>
          <DataTable {...table} rows={all.slice(0, most)} />
          {all.length > most ? <p class={s['more']}>and {all.length - most} more</p> : null}
        </>
      )}
    </WhenKnown>
  </Panel>
)

interface Summary {
  /** Leads the title of the window: `▲ 2`. */
  readonly mark?: string
  /** Beside the heading. */
  readonly text: ComponentChild
}

interface PageProps<T> extends Omit<PanelProps<T>, 'title' | 'aside' | 'what'> {
  readonly title: string
  readonly windowTitle?: string
  /** Absent: the number of rows. */
  readonly summary?: ((rows: readonly T[]) => Summary) | undefined
  readonly actions?: ComponentChild
  readonly tabs?: ComponentChild
  readonly within?: ComponentChild
  /** Dialogs, and what stands below the list. */
  readonly children?: ComponentChild
}

/** `3 need attention`, or how many there are. */
export const attention = (all: number, bad: number): Summary =>
  bad === 0
    ? { text: <span class="muted num">{all}</span> }
    : {
        mark: `▲ ${bad}`,
        text: (
          <StateText kind="fail">
            {bad} {bad === 1 ? 'needs' : 'need'} attention
          </StateText>
        ),
      }

export const ListPage = <T,>({
  title,
  windowTitle = title,
  summary = (rows) => attention(rows.length, 0),
  actions,
  tabs,
  within,
  children,
  ...list
}: PageProps<T>) => {
  const summed = mapKnown(list.rows, summary)
  const mark = partOf(summed)?.mark
  return (
    <PageFrame
      windowTitle={mark === undefined ? windowTitle : `${mark} ${windowTitle}`}
      title={title}
      state={<InlineKnown value={summed}>{({ text }) => text}</InlineKnown>}
      actions={actions}
      tabs={tabs}
      within={within}
    >
      <ListPanel {...list} />
      {children}
    </PageFrame>
  )
}
