// What happened to a stagelet, newest first: its rollouts, all that lasts, and the events of the last hour, to which
// the stream adds while the page is open.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type { KeptRollout, Stagelet, StageletEvent } from '../../../../src/rest/types.ts'
import { recentEvents } from '../../live/collections.ts'
import { activityUrl } from '../../ui/links.ts'
import { Empty, Panel, Skeleton } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { messageText } from '../../ui/message.ts'
import { State } from '../../ui/state.tsx'
import { Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { Feed } from '../activity/feed.tsx'
import { useNewest } from '../activity/use-activity.ts'
import { KeptRollouts } from '../rollouts/kept.tsx'
import { LastRollout } from './last-rollout.tsx'
import s from './stagelet.module.css'

const isOf = ({ name }: Stagelet, event: StageletEvent): boolean =>
  event.kind === 'Stagelet' && event.name === name

/** Read anew when the stream told of one. */
const useEvents = (stagelet: Stagelet) => {
  const [events, setEvents] = useState<readonly StageletEvent[]>()
  const [error, setError] = useState<unknown>()
  const newest = recentEvents.value.find((event) => isOf(stagelet, event))?.last_seen
  useEffect(() => {
    const abort = new AbortController()
    const path = { project_id: `${stagelet.team}/${stagelet.project}` }
    must(
      api.GET('/projects/{project_id}/events', {
        params: { path, query: { limit: 500 } },
        signal: abort.signal,
      }),
    ).then(
      ({ events: read }) => setEvents(read.filter((event) => isOf(stagelet, event))),
      (reason: unknown) => {
        if (!abort.signal.aborted) setError(reason)
      },
    )
    return () => abort.abort()
  }, [stagelet.id, newest])
  return { events, error }
}

/** Read anew when the last one is another, or tells more. */
const Rollouts = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const path = { stagelet_id: stagelet.id }
  const { data, error, refetch } = useQuery({
    key: ['rollouts', stagelet.id, stagelet.last_rollout ?? null],
    read: (signal) =>
      must(
        api.GET('/stagelets/{stagelet_id}/rollouts', {
          params: { path, query: { limit: 50 } },
          signal,
        }),
      ),
  })
  const shown = useRef<readonly KeptRollout[] | undefined>(undefined)
  if (data !== undefined) shown.current = data.rollouts
  return (
    <Panel flush title="Rollouts" aside={<span class="muted">the newest 50 are kept</span>}>
      {error === null ? null : <ProblemBox error={error} onRetry={() => void refetch()} />}
      {shown.current === undefined && error === null ? <Skeleton /> : null}
      {shown.current?.length === 0 ? <Empty title="No rollout yet" /> : null}
      {shown.current === undefined || shown.current.length === 0 ? null : (
        <KeptRollouts rollouts={shown.current} label={`Rollouts of ${stagelet.name}`} />
      )}
    </Panel>
  )
}

const mostShown = 20

const Lasting = ({ stagelet: { team, name } }: { readonly stagelet: Stagelet }) => {
  const rows = useNewest({ team, stagelet: name }, { limit: mostShown, seconds: 2 })
  const other = rows?.filter(({ kind }) => kind !== 'rollout') ?? []
  if (other.length === 0) return null
  return (
    <Panel
      flush
      title="Drift, pauses and orders"
      aside={<a href={activityUrl({ team, stagelet: name })}>All activity</a>}
    >
      <Feed rows={other} label={`Activity of ${name}`} />
    </Panel>
  )
}

export const HistoryTab = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const { events, error } = useEvents(stagelet)
  return (
    <>
      <LastRollout stagelet={stagelet} />
      <Rollouts stagelet={stagelet} />
      <Lasting stagelet={stagelet} />
      <Panel flush title="Within the hour">
        {error === undefined ? null : <ProblemBox error={error} />}
        {events === undefined && error === undefined ? <Skeleton /> : null}
        {events?.length === 0 ? <Empty title="Nothing happened within the hour" /> : null}
        <ul class={s['events']}>
          {events?.map(({ type, reason, message, last_seen: at, count }) => (
            <li key={`${at} ${reason} ${message}`}>
              <span class="muted">
                <Since at={at} />
              </span>
              <State kind={type === 'Warning' ? 'warn' : 'ok'}>
                {reason}
                {count > 1 ? ` × ${count}` : ''}
              </State>
              <p>{messageText(message)}</p>
            </li>
          ))}
        </ul>
      </Panel>
    </>
  )
}
