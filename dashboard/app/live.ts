// Joins the stream to the page: while somebody is logged in it runs, and the page says whether it is live.
import { effect } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { freshness, type LiveStream } from '../live/stream.ts'
import {
  endSession,
  loggedOut,
  logOut,
  maySomewhere,
  phase,
  readTeams,
} from '../session/session.ts'

let running: LiveStream | undefined

/** Logs out here and in all tabs of this browser. */
export const logOutEverywhere = async (): Promise<void> => {
  await logOut()
  // A tab that is told while the session still holds would be logged in again.
  running?.tellLogout()
  loggedOut()
}

export const useLive = (
  start: (onLogout: () => void, mayListAgents: () => boolean) => LiveStream,
): void => {
  useEffect(() => {
    const begin = (): void => {
      running?.stop()
      running = start(loggedOut, () => maySomewhere('list', 'agents'))
    }
    begin()
    let shown = freshness.peek().phase
    const stopShowing = effect(() => {
      const isFresh = ['live', 'connecting'].includes(freshness.value.phase)
      document.documentElement.toggleAttribute('data-stale', !isFresh)
      if (freshness.value.phase === 'ended') endSession()
      const next = freshness.value.phase
      // A change of rights ends the stream: what the person may do is read again with the next one.
      if (next !== shown && (next === 'refused' || (next === 'live' && shown !== 'connecting')))
        void readTeams()
      shown = next
    })
    // After a new login in the same page the stream is opened again.
    let before = phase.peek()
    const stopWatching = phase.subscribe((next) => {
      if (before === 'ended' && next === 'in') begin()
      before = next
    })
    return () => {
      stopShowing()
      stopWatching()
      running?.stop()
      running = undefined
    }
  }, [])
}
