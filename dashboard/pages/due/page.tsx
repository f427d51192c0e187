// Until when the values of a project may be used: one list, nearest first, with who runs them.
import { computed } from '@preact/signals'
import { useRoute } from 'preact-iso'
import { useMemo } from 'preact/hooks'
import type { Secret } from '../../../src/rest/types.ts'
import { secretsOf } from '../../live/collections.ts'
import { thisSecond } from '../../live/clock.ts'
import { projectUrl } from '../../ui/text/links.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { mapKnown, someOf } from '../../live/known.ts'
import { Empty, PageFrame } from '../../ui/page.tsx'
import { ProjectTabs } from '../../ui/project-tabs.tsx'
import { State } from '../../ui/state.tsx'
import { Table } from '../../ui/table.tsx'
import { Until } from '../../ui/time.tsx'
import { dueRows, type DueRow } from './rows.ts'

const mostShown = 500
const shownServices = 3

const words = {
  expiry: 'its expiry',
  certificate: 'its certificate',
  store: 'the store that it comes from',
  age: 'the greatest age of the project',
  revealed: 'somebody without the right has read it',
} as const

const isWarned = ({ conditions }: Secret): boolean =>
  conditions.some(
    ({ type, status }) => status === 'True' && (type === 'Expiring' || type === 'RotationDue'),
  )

const isPast = ({ at }: Pick<DueRow, 'at'>): boolean => Date.parse(at) <= thisSecond.value

const When = ({ secret, at }: DueRow) => {
  const isOver = useMemo(() => computed(() => isPast({ at })), [at])
  return (
    <State kind={isOver.value ? 'fail' : isWarned(secret) ? 'warn' : 'wait'}>
      <Until at={at} />
    </State>
  )
}

const Runs = ({ secret: { services, service_count: count, audience } }: DueRow) => {
  if (audience === 'Controller') return <span class="muted">the controller alone</span>
  if (count === 0) return <span class="muted">nobody sees it</span>
  const more = count - Math.min(services.length, shownServices)
  return (
    <span>
      {services.slice(0, shownServices).join(', ')}
      {more > 0 ? ` and ${more} more` : ''}
    </span>
  )
}

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const project = { team, name }
  const secrets = secretsOf(team, name)
  const due = useMemo(() => mapKnown(secrets.known.value, dueRows), [secrets.known.value])
  const late = useMemo(() => computed(() => someOf(due).filter(isPast).length), [due]).value
  return (
    <PageFrame
      windowTitle={`${name} due`}
      title="Due"
      within={<a href={projectUrl(project)}>{name}</a>}
      tabs={<ProjectTabs {...project} current="Due" />}
      state={late === 0 ? null : <State kind="fail">{late} past their time</State>}
    >
      <WhenKnown
        of={due}
        rows={8}
        none={
          <Empty title="No value has an end">
            Give a secret <code>expiry</code>, or the project a <code>secretPolicy</code>, and the
            nearest end is here first. Certificates are here by themselves.
          </Empty>
        }
      >
        {(all) => (
          <>
            <Table
              label="Values with an end, nearest first"
              rows={all.slice(0, mostShown)}
              idOf={({ secret }) => secret.id}
              columns={[
                {
                  title: 'Key',
                  head: true,
                  render: ({ secret }) => (
                    <a
                      href={`${projectUrl(project)}?${new URLSearchParams({ secret: secret.name }).toString()}`}
                    >
                      {secret.key}
                    </a>
                  ),
                },
                { title: 'Scope', wide: true, render: ({ secret }) => secret.scope },
                { title: 'Until', render: (row) => <When {...row} /> },
                { title: 'As says', wide: true, render: ({ why }) => words[why] },
                { title: 'Seen by', render: (row) => <Runs {...row} /> },
              ]}
            />
            {all.length > mostShown ? (
              <p class="muted">and {all.length - mostShown} more, later than these</p>
            ) : null}
          </>
        )}
      </WhenKnown>
    </PageFrame>
  )
}
