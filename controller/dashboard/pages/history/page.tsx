// The history of a project: its revisions, who made each of them and why, and which stagelets run it. Two are
// compared, and one leads back.
import { useLocation, useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { Revision } from '../../api/types.ts'
import { whyNot } from '../../app/session.ts'
import { withQuery } from '../../app/team.ts'
import { projects, stagelets } from '../../live/collections.ts'
import { Button } from '../../ui/button.tsx'
import { Drawer, Facts, Section } from '../../ui/drawer.tsx'
import { projectUrl, revisionUrl, stageletUrl } from '../../ui/links.ts'
import { ProjectTabs } from '../../ui/project-tabs.tsx'
import { Empty, PageFrame, Skeleton } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { said } from '../../ui/said.ts'
import { State } from '../../ui/state.tsx'
import { Table } from '../../ui/table.tsx'
import { Ago, Since } from '../../ui/time.tsx'
import { Changes } from './changes.tsx'
import { idOf, rangeOf, runningOf, useDiff, useRevisions } from './data.ts'
import { GoBack } from './go-back.tsx'
import { ReceiptButton } from './receipt.tsx'
import s from './history.module.css'

type Named = { readonly team: string; readonly name: string }

const Runs = ({
  project,
  revision,
  newest,
}: {
  readonly project: Named
  readonly revision: number
  readonly newest: number | undefined
}) => {
  const running = runningOf(project, stagelets.rows.value, revision)
  if (running.length === 0) return <span class="muted">–</span>
  return (
    <span class={s['states']}>
      {running.map((one) => (
        <State
          key={one.id}
          kind={revision === newest ? 'ok' : 'wait'}
          title={`${one.name} runs revision ${revision}`}
        >
          <a href={stageletUrl(one)}>{one.name}</a>
        </State>
      ))}
    </span>
  )
}

const mostKeys = 8

/** What it changed; the panel of the revision has all. */
const keysOf = ({ keys, written, deleted }: Revision): string => {
  const shown = keys.slice(0, mostKeys)
  const more = written + deleted - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

const DiffOf = ({
  project,
  from,
  to,
}: {
  readonly project: Named
  readonly from: number
  readonly to: number | 'head'
}) => {
  const { data, error, refetch } = useDiff(idOf(project), from, to)
  if (error !== null) return <ProblemBox error={error} onRetry={() => void refetch()} />
  return data === undefined ? <Skeleton rows={3} /> : <Changes diff={data} />
}

interface OneProps {
  readonly project: Named
  readonly revision: Revision
  readonly before: number
  readonly newest: number | undefined
  readonly onClose: () => void
  readonly onGoBack: () => void
}

const One = ({ project, revision, before, newest, onClose, onGoBack }: OneProps) => {
  const { revision: number, by, note, closed_at: at } = revision
  return (
    <Drawer title={`r${number}`} under={<Ago at={at} />} onClose={onClose}>
      <Section title="Who, and why">
        <Facts
          rows={[
            ['By', by.join(', ')],
            ['At', <Since at={at} />],
            ['Note', note === undefined ? <span class="muted">none was given</span> : said(note)],
            ['Clock', <a href={revisionUrl(project, number)}>how its containers came</a>],
            [
              'Secrets',
              <a href={`${projectUrl(project)}?at=${number}`}>as they were, against now</a>,
            ],
            ['Runs it', <Runs project={project} revision={number} newest={newest} />],
          ]}
        />
      </Section>
      <Section title="Receipt">
        <p class="muted">What the controller signs of it, to be kept.</p>
        <p>
          <ReceiptButton team={project.team} project={project.name} revision={number} />
        </p>
      </Section>
      <Section title={before === 0 ? 'What it brought' : `Against r${before}`}>
        <DiffOf project={project} from={before} to={number} />
      </Section>
      {number === newest ? null : (
        <Section title="Against now">
          <DiffOf project={project} from={number} to="head" />
        </Section>
      )}
      <Section title="Go back">
        <p class="muted">First you see which containers that would re-create.</p>
        <p>
          <Button whyNot={whyNot('update', 'stagelysecrets', project.team)} onPress={onGoBack}>
            Go back to r{number}…
          </Button>
        </p>
      </Section>
    </Drawer>
  )
}

interface CompareProps {
  readonly project: Named
  readonly range: readonly [number, number]
  readonly onClose: () => void
}

const Compare = ({ project, range: [from, to], onClose }: CompareProps) => (
  <Drawer title={`r${from} → r${to}`} under="What differs, by names" onClose={onClose}>
    <Section title="Secrets">
      <DiffOf project={project} from={from} to={to} />
    </Section>
  </Drawer>
)

/** Which revisions are chosen, which two are compared, and which one is open: the last two are in the address. */
const useHistory = () => {
  const [chosen, setChosen] = useState<readonly number[]>([])
  const { query, url, route } = useLocation()
  const { revision: open, compare: compared } = query
  const show = (change: { revision?: string; compare?: string }): void => {
    route(withQuery(url, { revision: undefined, compare: undefined, ...change }), true)
  }
  return {
    chosen,
    choose: (revision: number): void => {
      const rest = chosen.filter((one) => one !== revision)
      setChosen(rest.length < chosen.length ? rest : [...rest, revision].slice(-2))
    },
    open: open === undefined ? undefined : Number(open),
    setOpen: (revision: number | undefined): void => {
      show(revision === undefined ? {} : { revision: String(revision) })
    },
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
  <Table
    label="Revisions, newest first"
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
            onChange={() => {
              view.choose(revision)
            }}
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
            onClick={() => {
              view.setOpen(revision)
            }}
          >
            r{revision}
          </button>
        ),
      },
      { title: 'When', render: ({ closed_at: at }) => <Ago at={at} /> },
      { title: 'Who', render: ({ by }) => by.join(', ') },
      {
        title: 'What, and why',
        wide: true,
        render: (row) => (
          <>
            <code class={s['keys']}>{keysOf(row)}</code>
            {row.note === undefined ? null : <small>{said(row.note)}</small>}
          </>
        ),
      },
      {
        title: 'Runs it',
        render: ({ revision }) => <Runs project={project} revision={revision} newest={newest} />,
      },
    ]}
  />
)

/** The revision that is open, and the one before it; 0 is the empty set. */
const openOf = (revisions: readonly Revision[], open: number | undefined) => {
  const at = revisions.findIndex(({ revision }) => revision === open)
  return { one: revisions[at], before: revisions[at + 1]?.revision ?? 0 }
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const project = { team, name }
  const known = projects.rows.value.find((one) => one.team === team && one.name === name)
  const { data, error, refetch } = useRevisions(idOf(project), known?.revision)
  const view = useHistory()
  const [goal, setGoal] = useState<number | undefined>()
  const newest = data?.[0]?.revision
  const { one, before } = openOf(data ?? [], view.open)
  return (
    <PageFrame
      full
      windowTitle={`${name} history`}
      title="History"
      within={<a href={projectUrl(project)}>{name}</a>}
      tabs={<ProjectTabs {...project} current="History" />}
      state={newest === undefined ? null : <span class="muted num">newest r{newest}</span>}
      actions={
        <Button
          whyNot={view.chosen.length === 2 ? undefined : 'Choose two revisions in the list.'}
          onPress={() => {
            view.compare(view.chosen)
          }}
        >
          Compare two
        </Button>
      }
    >
      <div class={s['split']}>
        <div class={s['list']} tabIndex={0} role="group" aria-label="Revisions">
          {error === null ? null : <ProblemBox error={error} onRetry={() => void refetch()} />}
          {data === undefined ? (
            error === null ? (
              <Skeleton />
            ) : null
          ) : data.length === 0 ? (
            <Empty title="The first change set will be here.">
              Each change of secrets is a revision. You can compare any two, and go back to one.
            </Empty>
          ) : (
            <List project={project} revisions={data} newest={newest} view={view} />
          )}
        </div>
        {view.range !== undefined ? (
          <Compare
            project={project}
            range={view.range}
            onClose={() => {
              view.compare(undefined)
            }}
          />
        ) : one === undefined ? null : (
          <One
            key={one.revision}
            project={project}
            revision={one}
            before={before}
            newest={newest}
            onClose={() => {
              view.setOpen(undefined)
            }}
            onGoBack={() => {
              setGoal(one.revision)
            }}
          />
        )}
      </div>
      {goal === undefined ? null : (
        <GoBack
          project={project}
          revision={goal}
          onClose={() => {
            setGoal(undefined)
          }}
        />
      )}
    </PageFrame>
  )
}
