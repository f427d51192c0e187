// What happened to a stagelet, newest first: its rollouts, all that lasts, and the events of the last hour, to which
// the stream adds while the page is open.
import { api, must } from '../../api/client.ts'
import type { KeptRollout, Stagelet, StageletEvent } from '../../../src/generated/rest-types.ts'
import { recentEvents } from '../../live/collections.ts'
import { mapKnown } from '../../live/known.ts'
import { activityUrl } from '../../ui/text/links.ts'
import { Empty, Panel } from '../../ui/page.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { messageText } from '../../ui/text/message.ts'
import { StateText } from '../../ui/state.tsx'
import { Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { ActivityFeed } from '../activity/feed.tsx'
import { useNewest } from '../activity/use-activity.ts'
import { KeptRollouts } from '../revisions/kept.tsx'
import { LastRollout } from './last-rollout.tsx'
import s from './stagelet.module.css'

const isOf = ({ name }: Stagelet, event: StageletEvent): boolean =>
  event.kind === 'Stagelet' && event.name === name

/** Read again when the stream brings an event. */
const useEvents = (stagelet: Stagelet) => {
  const path = { project_id: `${stagelet.team}/${stagelet.project}` }
  return useQuery({
    key: ['events', stagelet.id],
    refetchOn: recentEvents.value.find((event) => isOf(stagelet, event))?.last_seen ?? '',
    read: async (signal) => {
      const params = { path, query: { limit: 500 } }
      const read = await must(api.GET('/projects/{project_id}/events', { params, signal }))
      return read.events.filter((event) => isOf(stagelet, event))
    },
  })
}

/** Read again when the last rollout changes. */
const Rollouts = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const path = { stagelet_id: stagelet.id }
  const rollouts = useQuery<readonly KeptRollout[]>({
    key: ['rollouts', stagelet.id],
    refetchOn: stagelet.last_rollout ?? null,
    read: async (signal) => {
      const params = { path, query: { limit: 50 } }
      return (await must(api.GET('/stagelets/{stagelet_id}/rollouts', { params, signal }))).rollouts
    },
  })
  return (
    <Panel flush title="Rollouts" aside={<span class="muted">newest 50</span>}>
      <WhenKnown value={rollouts} none={<Empty title="No rollouts yet" />}>
        {(all) => <KeptRollouts rollouts={all} label={`Rollouts of ${stagelet.name}`} />}
      </WhenKnown>
    </Panel>
  )
}

const mostShown = 20

const Lasting = ({ stagelet: { team, name } }: { readonly stagelet: Stagelet }) => {
  const rows = useNewest({ team, stagelet: name }, { limit: mostShown, seconds: 2 })
  const other = mapKnown(rows, (all) => all.filter(({ kind }) => kind !== 'rollout'))
  return (
    <WhenKnown value={other} none={null}>
      {(shown) => (
        <Panel
          flush
          title="Drift and operations"
          aside={<a href={activityUrl({ team, stagelet: name })}>All activity</a>}
        >
          <ActivityFeed rows={shown} label={`Activity of ${name}`} />
        </Panel>
      )}
    </WhenKnown>
  )
}

export const HistoryTab = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const events = useEvents(stagelet)
  return (
    <>
      <LastRollout stagelet={stagelet} />
      <Rollouts stagelet={stagelet} />
      <Lasting stagelet={stagelet} />
      <Panel flush title="Last hour">
        <WhenKnown value={events} none={<Empty title="No events in the last hour" />}>
          {(all) => (
            <ul class={s['events']}>
              {all.map(({ type, reason, message, last_seen: at, count }) => (
                <li key={`${at} ${reason} ${message}`}>
                  <span class="muted">
                    <Since at={at} />
                  </span>
                  <StateText kind={type === 'Warning' ? 'warn' : 'ok'}>
                    {reason}
                    {count > 1 ? ` × ${count}` : ''}
                  </StateText>
                  <p>{messageText(message)}</p>
                </li>
              ))}
            </ul>
          )}
        </WhenKnown>
      </Panel>
    </>
  )
}
