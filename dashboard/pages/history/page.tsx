// The history of a project: its revisions, who made each of them and why, and which stagelets run it. Two are
// compared, and one leads back.
import { useLocation, useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { Revision } from '../../../src/generated/rest-types.ts'
import { withQuery } from '../../session/team.ts'
import { projects } from '../../live/collections.ts'
import { findIn, partOf, someOf } from '../../live/known.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { deletedUrl, projectUrl } from '../../ui/text/links.ts'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { Empty, PageFrame } from '../../ui/page.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { visibleText } from '../../ui/text/visible-text.ts'
import { DataTable } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'
import { projectId, rangeOf, useRevisions } from './data.ts'
import { GoBack } from './go-back.tsx'
import { CompareRevisions, RevisionPanel, RunningOn, type Named } from './panels.tsx'
import s from './history.module.css'

const mostKeys = 8

/** What it changed; the panel of the revision has all. */
const keysOf = ({ keys, written, deleted, moved = [] }: Revision): string => {
  const shown = keys.slice(0, mostKeys)
  const more = written + deleted - shown.length
  const environments = moved.length === 0 ? [] : [`environment of ${moved.join(', ')}`]
  return [...shown, ...environments].join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** Which revisions are chosen, which two are compared, and which one is open: the last two are in the address. */
const useHistory = () => {
  const [chosen, setChosen] = useState<readonly number[]>([])
  const { query, url, route } = useLocation()
  const { revision: open, compare: compared } = query
  const show = (change: { revision?: string; compare?: string }): void =>
    route(withQuery(url, { revision: undefined, compare: undefined, ...change }), true)
  return {
    chosen,
    choose: (revision: number): void => {
      const rest = chosen.filter((other) => other !== revision)
      setChosen(rest.length < chosen.length ? rest : [...rest, revision].slice(-2))
    },
    open: open === undefined ? undefined : Number(open),
    setOpen: (revision: number | undefined): void =>
      show(revision === undefined ? {} : { revision: String(revision) }),
    range: rangeOf(compared),
    compare: (revisions: readonly number[] | undefined): void => {
      if (revisions === undefined) show({})
      else show({ compare: revisions.toSorted((a, b) => a - b).join('..') })
    },
  }
}

interface ListProps {
  readonly project: Named
  readonly revisions: readonly Revision[]
  readonly newest: number | undefined
  readonly view: ReturnType<typeof useHistory>
}

const List = ({ project, revisions, newest, view }: ListProps) => (
  <DataTable
    label="Revisions, newest first"
    stacks
    rows={revisions}
    idOf={({ revision }) => String(revision)}
    columns={[
      {
        title: 'Compare',
        render: ({ revision }) => (
          <input
            type="checkbox"
            aria-label={`Compare r${revision}`}
            checked={view.chosen.includes(revision)}
            onChange={() => view.choose(revision)}
          />
        ),
      },
      {
        title: 'Revision',
        head: true,
        render: ({ revision }) => (
          <button
            type="button"
            class={s['open']}
            aria-expanded={view.open === revision}
            onClick={() => view.setOpen(revision)}
          >
            r{revision}
          </button>
        ),
      },
      { title: 'When', render: ({ closed_at: at }) => <Ago at={at} /> },
      { title: 'Author', render: ({ by }) => by.join(', ') },
      {
        title: 'Changes',
        render: (row) => (
          <>
            <code class={s['keys']}>{keysOf(row)}</code>
            {row.note === undefined ? null : <small>{visibleText(row.note)}</small>}
          </>
        ),
      },
      {
        title: 'Running on',
        render: ({ revision }) => (
          <RunningOn project={project} revision={revision} newest={newest} />
        ),
      },
    ]}
  />
)

/** The revision that is open, and the one before it; 0 is the empty set. */
const openOf = (revisions: readonly Revision[], open: number | undefined) => {
  const at = revisions.findIndex(({ revision }) => revision === open)
  return { opened: revisions[at], before: revisions[at + 1]?.revision ?? 0 }
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const project = { team, name }
  const found = findIn(
    projects.list.value,
    (project) => project.team === team && project.name === name,
  )
  const revisions = useRevisions(projectId(project), partOf(found)?.revision)
  const view = useHistory()
  const [goal, setGoal] = useState<number | undefined>()
  const newest = partOf(revisions)?.[0]?.revision
  const { opened, before } = openOf(someOf(revisions), view.open)
  return (
    <PageFrame
      full
      windowTitle={`${name} history`}
      title="History"
      within={<a href={projectUrl(project)}>{name}</a>}
      tabs={<ProjectTabs {...project} current="History" />}
      state={newest === undefined ? null : <span class="muted num">newest r{newest}</span>}
      actions={
        <>
          <LinkButton href={deletedUrl(project)}>Deleted secrets</LinkButton>
          <Button
            whyNot={view.chosen.length === 2 ? undefined : 'Choose two revisions in the list.'}
            onPress={() => view.compare(view.chosen)}
          >
            Compare two
          </Button>
        </>
      }
    >
      <div class={s['split']}>
        <div class={s['list']} tabIndex={0} role="group" aria-label="Revisions">
          <WhenKnown
            value={revisions}
            none={
              <Empty title="No revisions yet">
                Every change of secrets makes a revision. You can compare two revisions, and go back
                to one.
              </Empty>
            }
          >
            {(all) => <List project={project} revisions={all} newest={newest} view={view} />}
          </WhenKnown>
        </div>
        {view.range !== undefined ? (
          <CompareRevisions
            project={project}
            range={view.range}
            onClose={() => view.compare(undefined)}
          />
        ) : opened === undefined ? null : (
          <RevisionPanel
            key={opened.revision}
            project={project}
            revision={opened}
            before={before}
            newest={newest}
            onClose={() => view.setOpen(undefined)}
            onGoBack={() => setGoal(opened.revision)}
          />
        )}
      </div>
      {goal === undefined ? null : (
        <GoBack
          place={{ team, project: name }}
          revision={goal}
          newest={newest ?? goal}
          onClose={() => setGoal(undefined)}
        />
      )}
    </PageFrame>
  )
}
