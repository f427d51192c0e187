// The profile of the person: roles, sessions and tokens.
import { useState } from 'preact/hooks'
import { api, must } from '../api/client.ts'
import { me } from '../session/session.ts'
import { logOutBrowser } from '../actions/people.ts'
import { mapKnown } from '../live/known.ts'
import { Button } from '../ui/button.tsx'
import { ConfirmAction } from '../ui/dialogs/confirm-action.tsx'
import { ListPanel } from '../ui/list.tsx'
import { Empty, PageFrame } from '../ui/page.tsx'
import { StateText } from '../ui/state.tsx'
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
    ? 'You are logged in with a limited token, which cannot manage tokens.'
    : undefined
  return {
    key: 'mine',
    title: 'Your tokens',
    list: (signal) => must(api.GET('/tokens', { params: { query: { limit: 1000 } }, signal })),
    whyNotCreate: why,
    whyNotRevoke: why,
  }
}

interface BrowserSession {
  readonly id: string
  readonly browser?: string
}

const Sessions = () => {
  const sessions = useQuery({
    key: ['sessions'],
    read: (signal) => must(api.GET('/me/sessions', { params: { query: { limit: 1000 } }, signal })),
  })
  const [ended, setEnded] = useState<BrowserSession | undefined>()
  return (
    <>
      <ListPanel
        title="Sessions"
        label="Sessions"
        rows={mapKnown(sessions, ({ sessions: all }) => all)}
        idOf={({ id }) => id}
        columns={[
          { title: 'Browser', head: true, render: ({ browser }) => browser ?? 'unknown' },
          { title: 'Address', render: ({ address }) => address ?? '–' },
          { title: 'Last active', render: ({ last_seen_at: at }) => <Ago at={at} /> },
          { title: 'Logged in', wide: true, render: ({ created_at: at }) => <Since at={at} /> },
          { title: 'Expires', wide: true, render: ({ expires_at: at }) => <Since at={at} /> },
          {
            title: 'Action',
            end: true,
            render: (session) =>
              session.current ? (
                <StateText kind="ok">this browser</StateText>
              ) : (
                <Button
                  small
                  variant="quiet"
                  label={`Log out ${session.browser ?? session.id}`}
                  onPress={() => setEnded(session)}
                >
                  Log out
                </Button>
              ),
          },
        ]}
        empty={<Empty title="No sessions" />}
      />
      {ended === undefined ? null : (
        <ConfirmAction
          danger
          title="Log out this browser?"
          label="Log out"
          action={logOutBrowser(ended)}
          onDone={() => void sessions.refetch()}
          onClose={() => setEnded(undefined)}
        >
          <p>{ended.browser ?? 'The browser'} must log in again.</p>
        </ConfirmAction>
      )}
    </>
  )
}

export const Page = () => {
  const who = me.value
  if (who === undefined) return null
  const roles = who.admin
    ? 'admin of the controller'
    : who.teams.map(({ team, role }) => `${role} of ${team}`).join(', ')
  return (
    <PageFrame
      windowTitle="Profile"
      title={who.name}
      state={<span class="muted">{roles === '' ? 'in no team' : roles}</span>}
    >
      <Sessions />
      <TokensPanel place={mine()} />
      <RolesPanel />
    </PageFrame>
  )
}
