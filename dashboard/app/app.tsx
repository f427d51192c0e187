// The whole: who is not logged in sees the login page, everybody else the shell with its pages.
import { LocationProvider, useLocation } from 'preact-iso'
import { useEffect } from 'preact/hooks'
import { startLive } from '../live/collections.ts'
import { Announcements } from '../ui/announce.tsx'
import { ConfirmLogin } from '../ui/dialogs/confirm-login.tsx'
import { Boundary } from '../ui/problem.tsx'
import { listenForKeys } from '../session/keys.ts'
import { LoginPage, SessionEnded, UnreachablePage } from './login.tsx'
import { useLive } from './live.ts'
import { phase, resume } from '../session/session.ts'
import { DashboardShell } from './shell.tsx'

listenForKeys()
void resume()

const Inside = () => {
  useLive(startLive)
  return (
    <>
      <DashboardShell />
      {phase.value === 'ended' ? <SessionEnded /> : null}
    </>
  )
}

/** `/ui/login` is not for who is logged in, unless a code was given. */
const Whole = () => {
  const { path } = useLocation()
  switch (phase.value) {
    case 'unknown':
      return null
    case 'unreachable':
      return <UnreachablePage />
    case 'out':
      return <LoginPage />
    case 'in':
    case 'ended':
      return path === '/ui/login' ? <LoginPage /> : <Inside />
  }
}

/** A drop beside a drop zone would leave the page for the file. */
const useNoDrop = (): void =>
  useEffect(() => {
    const refuse = (event: DragEvent): void => event.preventDefault()
    window.addEventListener('dragover', refuse)
    window.addEventListener('drop', refuse)
    return () => {
      window.removeEventListener('dragover', refuse)
      window.removeEventListener('drop', refuse)
    }
  }, [])

export const DashboardApp = () => {
  useNoDrop()
  return (
    <Boundary>
      <LocationProvider scope="/ui">
        <Whole />
        <ConfirmLogin />
        <Announcements />
      </LocationProvider>
    </Boundary>
  )
}
