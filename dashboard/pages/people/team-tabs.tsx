// The pages of a team.
import { maySomewhere } from '../../session/session.ts'
import { Tabs } from '../../ui/page.tsx'

export const TeamTabs = ({
  team,
  current,
}: {
  readonly team: string
  readonly current: 'members' | 'tokens'
}) => (
  <Tabs
    label={`Team ${team}`}
    items={[
      { href: `/ui/t/${team}/members`, text: 'Members', current: current === 'members' },
      ...(maySomewhere('list', 'tokens')
        ? [{ href: `/ui/t/${team}/tokens`, text: 'Tokens', current: current === 'tokens' }]
        : []),
    ]}
  />
)
