// Machine tokens of a team.
import { useRoute } from 'preact-iso'
import { api, must } from '../api/client.ts'
import { whyNot } from '../session/session.ts'
import { PageFrame } from '../ui/page.tsx'
import { IssuersPanel } from './people/issuers.tsx'
import { TeamTabs } from './people/team-tabs.tsx'
import { TokensPanel } from './people/tokens.tsx'

export const Page = () => {
  const { team = '' } = useRoute().params
  return (
    <PageFrame
      windowTitle={`Tokens of ${team}`}
      title={`Team ${team}`}
      tabs={<TeamTabs team={team} current="tokens" />}
    >
      <TokensPanel
        place={{
          key: `team/${team}`,
          title: 'Machine tokens',
          team,
          list: (signal) =>
            must(
              api.GET('/teams/{team}/tokens', {
                params: { path: { team }, query: { limit: 1000 } },
                signal,
              }),
            ),
          whyNotCreate: whyNot('create', 'tokens', team),
          whyNotRevoke: whyNot('delete', 'tokens', team),
        }}
      />
      <IssuersPanel team={team} />
    </PageFrame>
  )
}
