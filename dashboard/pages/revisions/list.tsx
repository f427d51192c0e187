// The revisions of a project: who made each of them and why, and which stagelets run it. Two are compared, and each has
// a page, which leads back.
import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { Revision } from '../../../src/generated/rest-types.ts'
import { partOf } from '../../live/known.ts'
import { Button, LinkButton } from '../../ui/button.tsx'
import { ListPage } from '../../ui/list.tsx'
import { deletedUrl, projectUrl, revisionUrl } from '../../ui/text/links.ts'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { Empty } from '../../ui/page.tsx'
import { visibleText } from '../../ui/text/visible-text.ts'
import { Ago } from '../../ui/time.tsx'
import { useProjectFound, useProjectPlace } from '../project/data.ts'
import { useRevisions } from './data.ts'
import { RunningOn } from './running-on.tsx'
import s from './revisions.module.css'

const mostKeys = 8

/** What it changed; the page of the revision has all. */
const keysOf = ({ keys, written, deleted, moved = [] }: Revision): string => {
  const shown = keys.slice(0, mostKeys)
  const more = written + deleted - shown.length
  const environments = moved.length === 0 ? [] : [`environment of ${moved.join(', ')}`]
  return [...shown, ...environments].join(', ') + (more > 0 ? ` and ${more} more` : '')
}

export const Page = () => {
  const place = useProjectPlace()
  const project = { team: place.team, name: place.project }
  const { route } = useLocation()
  const found = partOf(useProjectFound(place))
  const revisions = useRevisions(`${project.team}/${project.name}`, found?.revision)
  const newest = partOf(revisions)?.[0]?.revision
  const [chosen, setChosen] = useState<readonly number[]>([])
  const [older = 0, newer] = chosen.toSorted((a, b) => a - b)
  const choose = (revision: number): void => {
    const rest = chosen.filter((other) => other !== revision)
    setChosen(rest.length < chosen.length ? rest : [...rest, revision].slice(-2))
  }
  return (
    <ListPage
      windowTitle={`${project.name} revisions`}
      title="Revisions"
      label="Revisions, newest first"
      within={<a href={projectUrl(project)}>{project.name}</a>}
      tabs={<ProjectTabs {...project} current="Revisions" />}
      summary={() => ({ text: <span class="muted num">newest r{newest}</span> })}
      actions={
        <>
          <LinkButton href={deletedUrl(project)}>Deleted secrets</LinkButton>
          <Button
            whyNot={newer === undefined ? 'Choose two revisions in the list.' : undefined}
            onPress={() => route(`${revisionUrl(project, newer ?? 0)}?against=${older}`)}
          >
            Compare two
          </Button>
        </>
      }
      stacks
      rows={revisions}
      idOf={({ revision }) => String(revision)}
      columns={[
        {
          title: 'Compare',
          render: ({ revision }) => (
            <input
              type="checkbox"
              class={s['compare']}
              aria-label={`Compare r${revision}`}
              checked={chosen.includes(revision)}
              onChange={() => choose(revision)}
            />
          ),
        },
        {
          title: 'Revision',
          head: true,
          render: ({ revision }) => <a href={revisionUrl(project, revision)}>r{revision}</a>,
        },
        {
          title: 'Author',
          render: ({ by, closed_at: at }) => (
            <>
              {by.join(', ')}
              <small>
                <Ago at={at} />
              </small>
            </>
          ),
        },
        {
          title: 'Changes',
          render: (row) => (
            <>
              <code>{keysOf(row)}</code>
              {row.note === undefined ? null : <small>{visibleText(row.note)}</small>}
            </>
          ),
        },
        {
          title: 'Running on',
          render: ({ revision }) => <RunningOn place={place} revision={revision} newest={newest} />,
        },
      ]}
      empty={
        <Empty title="No revisions yet">
          Every change of secrets makes a revision. You can compare two revisions, and go back to
          one.
        </Empty>
      }
    />
  )
}
