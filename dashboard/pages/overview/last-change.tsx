// What changed last: in each project, and all over.
import { defined } from '../../../src/kernel/defined.ts'
import { api, must } from '../../api/client.ts'
import type { Happened } from '../../../src/generated/rest-types.ts'
import { maySomewhere } from '../../session/session.ts'
import { useTeam } from '../../session/team.ts'
import { projects } from '../../live/collections.ts'
import { someOf, type Known } from '../../live/known.ts'
import { activityUrl } from '../../ui/text/links.ts'
import { Panel } from '../../ui/page.tsx'
import { Ago } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { ActivityFeed } from '../activity/feed.tsx'
import { useNewest } from '../activity/use-activity.ts'

/** The newest revision of each project, of those that changed within the time that is kept. */
export const useLastChanges = (team: string | undefined): Known<ReadonlyMap<string, Happened>> =>
  useQuery({
    key: ['last changes', team],
    refetchOn: someOf(projects.list.value).map(({ id, revision }) => [id, revision]),
    read: async (signal) => {
      const query = { kind: 'revision', ...defined({ team }) } as const
      const { activity } = await must(api.GET('/activity', { params: { query }, signal }))
      // The first of a project is its newest.
      return new Map(activity.toReversed().map((entry) => [placeOf(entry), entry]))
    },
  })

const placeOf = ({ team, project = '' }: Happened): string => `${team}/${project}`

export const LastChange = ({ change }: { readonly change: Happened | undefined }) => {
  if (change === undefined) return <span class="muted">–</span>
  const { at, by, keys = [] } = change
  return (
    <>
      <Ago at={at} /> <span class="muted">by {by.join(', ')}</span>
      <small>
        {keys.length === 1 ? '1 key' : `${keys.length}${keys.length < 20 ? '' : ' or more'} keys`}
      </small>
    </>
  )
}

const mostRecent = 6

/** The newest activity: also drift that was healed a moment ago. */
export const RecentActivity = () => (maySomewhere('list', 'events') ? <Rows /> : null)

const Rows = () => {
  const team = useTeam()
  const filter = team === undefined ? {} : { team }
  const rows = useNewest(filter, { limit: mostRecent, seconds: 1 })
  return (
    <WhenKnown value={rows} what="Recent activity" none={null}>
      {(all) => (
        <Panel flush title="Recent activity" aside={<a href={activityUrl(filter)}>All activity</a>}>
          <ActivityFeed rows={all} label="Recent activity" />
        </Panel>
      )}
    </WhenKnown>
  )
}
