// One request for access: who asks for what and why, who runs it, who has read it before, and what was decided.
import { useRoute } from 'preact-iso'
import type { AccessReach, AccessRequest } from '../../../src/generated/rest-types.ts'
import { api, must } from '../../api/client.ts'
import { partOf } from '../../live/known.ts'
import { DetailPage } from '../../ui/detail.tsx'
import { FactList } from '../../ui/dialogs/drawer.tsx'
import { ListPanel } from '../../ui/list.tsx'
import { Empty, PageFrame, Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import type { TableColumn } from '../../ui/table.tsx'
import { projectUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { visibleText } from '../../ui/text/visible-text.ts'
import { durationText, Since, Until } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { Decide } from './decide.tsx'
import { requestEnd, requestKind, requestState } from './state.ts'

const readText = ({ read_by: readers }: AccessReach) =>
  readers.length === 0
    ? 'nobody'
    : readers.map(({ by, at, version }) => (
        <div key={by}>
          {by}, version {version}, <Since at={at} />
        </div>
      ))

const columns: readonly TableColumn<AccessReach>[] = [
  {
    title: 'Key',
    head: true,
    render: ({ key, scope, version }) => (
      <>
        {key}
        <small>
          {scope} · version {version}
        </small>
      </>
    ),
  },
  { title: 'Services', render: ({ services }) => services.join(', ') || 'no service' },
  { title: 'Machines', render: ({ machines }) => machines.join(', ') || '–' },
  { title: 'Read before by', render: readText },
]

const decisionRows = ({ decisions = [] }: AccessRequest) =>
  decisions.map(
    ({ action, by, at, outcome, note }) =>
      [
        outcome === undefined ? action : `${action}: ${outcome}`,
        <>
          {by.name}, <Since at={at} />
          {note === undefined ? null : <small>{visibleText(note)}</small>}
        </>,
      ] as const,
  )

const Facts = ({ request }: { readonly request: AccessRequest }) => {
  const { team, project, message = '', requester, reason, uses = 0, approvals } = request
  const seconds = request.duration_seconds ?? 0
  return (
    <Panel title="Request">
      <FactList
        rows={[
          ['By', requester?.name ?? '–'],
          ['Reason', visibleText(reason)],
          ['Project', <a href={projectUrl({ team, name: project })}>{project}</a>],
          ['State', messageText(message) || '–'],
          [
            'Approvals',
            approvals === undefined ? '–' : `${approvals.counted} of ${approvals.needed}`,
          ],
          ['For', `${durationText(seconds * 1000)} from the first use`],
          ['Until', <Until at={requestEnd(request)} />],
          ['Read', `${uses} times`],
          ...decisionRows(request),
        ]}
      />
    </Panel>
  )
}

export const Page = () => {
  const { team = '', request: name = '' } = useRoute().params
  const path = { request_id: `${team}/${name}` }
  const request = useQuery({
    key: ['access-request', team, name],
    pollSeconds: 10,
    read: (signal) => must(api.GET('/access-requests/{request_id}', { params: { path }, signal })),
  })
  const reach = useQuery({
    key: ['access-reach', team, name],
    enabled: partOf(request) !== undefined,
    read: async (signal) => {
      const asked = { params: { path }, signal }
      return (await must(api.GET('/access-requests/{request_id}/reach', asked))).secrets
    },
  })
  return (
    <DetailPage value={request} name={name} back={{ href: '/ui/access', text: 'Back to requests' }}>
      {(found) => (
        <PageFrame
          windowTitle={name}
          title={name}
          within={<a href="/ui/access">Requests</a>}
          state={<StateText kind={requestKind(found)}>{requestState(found)}</StateText>}
          actions={<Decide request={found} onDone={() => void request.refetch()} />}
        >
          <Facts request={found} />
          <ListPanel
            title="What is asked for"
            label="What is asked for"
            stacks
            rows={reach}
            idOf={({ name: secret }) => secret}
            columns={columns}
            empty={<Empty title="No secret of it is there any more" />}
          />
        </PageFrame>
      )}
    </DetailPage>
  )
}
