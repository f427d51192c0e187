// What happened to a stagelet, newest first, in the words of the controller. Events are kept for an hour; the
// stream adds to them while the page is open.
import { useEffect, useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type { Stagelet, StageletEvent } from '../../api/types.ts'
import { recentEvents } from '../../live/collections.ts'
import { Empty, Panel, Skeleton } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { State } from '../../ui/state.tsx'
import { Since } from '../../ui/time.tsx'
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
      ({ events: read }) => {
        setEvents(read.filter((event) => isOf(stagelet, event)))
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) setError(reason)
      },
    )
    return () => {
      abort.abort()
    }
  }, [stagelet.id, newest])
  return { events, error }
}

export const HistoryTab = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const { events, error } = useEvents(stagelet)
  return (
    <>
      <LastRollout stagelet={stagelet} />
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
              <p>{message}</p>
            </li>
          ))}
        </ul>
      </Panel>
    </>
  )
}
