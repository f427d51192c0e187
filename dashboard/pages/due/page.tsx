// When the secrets of a project expire: one list, nearest first, with the services that use each.
import { computed } from '@preact/signals'
import { useRoute } from 'preact-iso'
import { useMemo } from 'preact/hooks'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { thisSecond } from '../../api/clock.ts'
import { secretsOf } from '../../live/collections.ts'
import { mapKnown, someOf } from '../../live/known.ts'
import { ListPage } from '../../ui/list.tsx'
import { Empty } from '../../ui/page.tsx'
import { ProjectTabs } from '../../ui/tabs.tsx'
import { StateText } from '../../ui/state.tsx'
import type { TableColumn } from '../../ui/table.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { Until } from '../../ui/time.tsx'
import { dueRows, type DueRow } from './rows.ts'

const mostShown = 500
const shownServices = 3

const words = {
  expiry: 'expiry of the secret',
  certificate: 'end of the certificate',
  store: 'expiry in the external store',
  age: 'maximum age of the project',
  leaked: 'found in a repository',
  revealed: 'known to somebody who should not',
} as const

const isWarned = ({ conditions }: Secret): boolean =>
  conditions.some(
    ({ type, status }) => status === 'True' && (type === 'Expiring' || type === 'RotationDue'),
  )

const isPast = ({ due }: Pick<DueRow, 'due'>): boolean => Date.parse(due.at) <= thisSecond.value

const When = ({ secret, due }: DueRow) => {
  const isOver = useMemo(() => computed(() => isPast({ due })), [due])
  return (
    <StateText kind={isOver.value ? 'fail' : isWarned(secret) ? 'warn' : 'wait'}>
      <Until at={due.at} />
    </StateText>
  )
}

const UsedBy = ({ secret: { services, service_count: count, audience } }: DueRow) => {
  if (audience === 'Controller') return <span class="muted">the controller only</span>
  if (count === 0) return <span class="muted">no service</span>
  const more = count - Math.min(services.length, shownServices)
  return (
    <span>
      {services.slice(0, shownServices).join(', ')}
      {more > 0 ? ` and ${more} more` : ''}
    </span>
  )
}

const columnsOf = (projectHref: string): readonly TableColumn<DueRow>[] => [
  {
    title: 'Key',
    head: true,
    render: ({ secret }) => (
      <a href={`${projectHref}?${new URLSearchParams({ secret: secret.name }).toString()}`}>
        {secret.key}
      </a>
    ),
  },
  { title: 'Scope', wide: true, render: ({ secret }) => secret.scope },
  { title: 'Due', render: (row) => <When {...row} /> },
  { title: 'Because of', wide: true, render: ({ due }) => words[due.why] },
  { title: 'Used by', render: (row) => <UsedBy {...row} /> },
]

export const Page = () => {
  const { team = '', project: name = '' } = useRoute().params
  const project = { team, name }
  const secrets = secretsOf(team, name)
  const due = useMemo(() => mapKnown(secrets.list.value, dueRows), [secrets.list.value])
  const late = useMemo(() => computed(() => someOf(due).filter(isPast).length), [due]).value
  return (
    <ListPage
      windowTitle={`${name} due`}
      title="Due"
      label="Secrets that are due, nearest first"
      within={<a href={projectUrl(project)}>{name}</a>}
      tabs={<ProjectTabs {...project} current="Due" />}
      summary={() => ({
        text: late === 0 ? null : <StateText kind="fail">{late} overdue</StateText>,
      })}
      rows={due}
      most={mostShown}
      idOf={({ secret }) => secret.id}
      columns={columnsOf(projectUrl(project))}
      empty={
        <Empty title="No secret is due">
          Give a secret an <code>expiry</code>, or the project a <code>secretPolicy</code>. The
          dates of certificates are found by themselves.
        </Empty>
      }
    />
  )
}
