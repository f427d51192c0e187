// The person: roles, open sessions and tokens of one's own.
import { useState } from 'preact/hooks'
import { api, must } from '../api/client.ts'
import { me } from '../app/session.ts'
import { endSessionDoing } from '../copy-as/people.ts'
import { useAction } from '../ui/action.ts'
import { Button } from '../ui/button.tsx'
import { CopyAs } from '../ui/copy-as.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { PageFrame, Panel } from '../ui/page.tsx'
import { State } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'
import { Ago, Since } from '../ui/time.tsx'
import { useQuery } from '../ui/use-query.ts'
import { RolesPanel } from './people/roles.tsx'
import type { TokenPlace } from './people/new-token.tsx'
import { TokensPanel } from './people/tokens.tsx'

const mine = (): TokenPlace => {
  const isLimited =
    me.value?.token.read_only === true ||
    me.value?.token.role !== undefined ||
    me.value?.token.teams !== undefined
  const why = isLimited
    ? 'This login is from a token with limits, which manages no tokens.'
    : undefined
  return {
    key: 'mine',
    title: 'Your tokens',
    list: (signal) => must(api.GET('/tokens', { params: { query: { limit: 1000 } }, signal })),
    create: (body) => must(api.POST('/tokens', { body })),
    revoke: (id) => must(api.DELETE('/tokens/{token_id}', { params: { path: { token_id: id } } })),
    whyNotCreate: why,
    whyNotRevoke: why,
  }
}

interface Session {
  readonly id: string
  readonly browser?: string
}

const Sessions = () => {
  const sessions = useQuery({
    key: ['sessions'],
    read: (signal) => must(api.GET('/me/sessions', { params: { query: { limit: 1000 } }, signal })),
  })
  const [ending, setEnding] = useState<Session | undefined>()
  const { busy, run } = useAction()
  const end = async (session: Session): Promise<void> => {
    const path = { session_id: session.id }
    const request = () => must(api.DELETE('/me/sessions/{session_id}', { params: { path } }))
    await run(request, 'That browser is logged out.', endSessionDoing(session))
    setEnding(undefined)
    await sessions.again()
  }
  return (
    <Panel flush title="Open sessions">
      <WhenKnown of={sessions} rows={2}>
        {({ sessions: all }) => (
          <Table
            label="Open sessions"
            rows={all}
            idOf={({ id }) => id}
            columns={[
              { title: 'Browser', head: true, render: ({ browser }) => browser ?? 'not told' },
              { title: 'From', render: ({ address }) => address ?? '–' },
              { title: 'Seen', render: ({ last_seen_at: at }) => <Ago at={at} /> },
              { title: 'Since', wide: true, render: ({ created_at: at }) => <Since at={at} /> },
              { title: 'Ends', wide: true, render: ({ expires_at: at }) => <Since at={at} /> },
              {
                title: 'Action',
                end: true,
                render: (session) =>
                  session.current ? (
                    <State kind="ok">this one</State>
                  ) : (
                    <Button
                      small
                      look="quiet"
                      label={`End it: ${session.browser ?? session.id}`}
                      onPress={() => setEnding(session)}
                    >
                      End it
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </WhenKnown>
      {ending === undefined ? null : (
        <Confirm
          danger
          title="End this session?"
          action="Log that browser out"
          busy={busy}
          onConfirm={() => void end(ending)}
          onClose={() => setEnding(undefined)}
        >
          <p>{ending.browser ?? 'That browser'} must log in again.</p>
          <CopyAs doing={endSessionDoing(ending)} />
        </Confirm>
      )}
    </Panel>
  )
}

export const Page = () => {
  const who = me.value
  if (who === undefined) return null
  const roles = who.admin
    ? 'admin of the controller: everything, everywhere'
    : who.teams.map(({ team, role }) => `${role} of ${team}`).join(', ')
  return (
    <PageFrame
      windowTitle="You"
      title={who.name}
      state={<span class="muted">{roles === '' ? 'in no team' : roles}</span>}
    >
      <Sessions />
      <TokensPanel place={mine()} />
      <RolesPanel />
    </PageFrame>
  )
}
