// Requests for access to guarded values: what waits for the caller, what the caller has asked for, and what else there is.
import type { AccessRequest } from '../../../src/generated/rest-types.ts'
import { useTeam } from '../../session/team.ts'
import { mapKnown, type Known } from '../../live/known.ts'
import { ListPanel } from '../../ui/list.tsx'
import { Empty, PageFrame } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import type { TableColumn } from '../../ui/table.tsx'
import { accessUrl } from '../../ui/text/links.ts'
import { visibleText } from '../../ui/text/visible-text.ts'
import { Ago, Until } from '../../ui/time.tsx'
import { isOwn, useRequests } from '../../ui/use-requests.ts'
import { InlineKnown } from '../../ui/when-known.tsx'
import { keysText, requestEnd, requestKind, requestState } from './state.ts'

const columns: readonly TableColumn<AccessRequest>[] = [
  {
    title: 'Request',
    head: true,
    render: (request) => (
      <>
        <a href={accessUrl(request)}>{request.name}</a>
        <small>
          {request.project}
          {request.environment === undefined ? '' : ` · ${request.environment}`}
        </small>
      </>
    ),
  },
  { title: 'By', render: (request) => request.requester?.name ?? '–' },
  {
    title: 'For',
    render: (request) => (
      <>
        {keysText(request)}
        <small>{visibleText(request.reason)}</small>
      </>
    ),
  },
  {
    title: 'State',
    render: (request) => <StateText kind={requestKind(request)}>{requestState(request)}</StateText>,
  },
  { title: 'Until', wide: true, render: (request) => <Until at={requestEnd(request)} /> },
  { title: 'Asked', wide: true, render: ({ created_at: at }) => <Ago at={at} /> },
]

const RequestList = ({
  title,
  rows,
  children,
}: {
  readonly title: string
  readonly rows: Known<readonly AccessRequest[]>
  readonly children: string
}) => (
  <ListPanel
    title={title}
    label={title}
    stacks
    rows={rows}
    idOf={({ id }) => id}
    columns={columns}
    empty={<Empty title={children} />}
  />
)

export const Page = () => {
  const team = useTeam()
  const waiting = useRequests({ team, to_decide: 'true' })
  const all = useRequests({ team })
  const mine = mapKnown(all, (list) => list.filter(isOwn))
  const others = mapKnown(all, (list) => list.filter((request) => !isOwn(request)))
  return (
    <PageFrame
      windowTitle="Requests"
      title="Requests"
      state={
        <InlineKnown value={waiting}>
          {({ length }) =>
            length === 0 ? null : <StateText kind="warn">{length} for you to decide</StateText>
          }
        </InlineKnown>
      }
    >
      <RequestList title="To decide" rows={waiting}>
        Nothing waits for your decision
      </RequestList>
      <RequestList title="Yours" rows={mine}>
        You have asked for nothing
      </RequestList>
      <RequestList title="Of others" rows={others}>
        No request of others that you may see
      </RequestList>
    </PageFrame>
  )
}
