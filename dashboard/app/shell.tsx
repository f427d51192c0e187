// What is around every page: the rail, the bar at the top, and the sheet of shortcuts.
import { Route, Router, useLocation } from 'preact-iso'
import { exec } from 'preact-iso/router'
import { useEffect, useState } from 'preact/hooks'
import { knownFailure, mapKnown, partOf, type Known } from '../live/known.ts'
import { CopyDialog } from '../ui/copy-as.tsx'
import { Dialog } from '../ui/dialogs/dialog.tsx'
import { Empty, PageFrame } from '../ui/page.tsx'
import { lockValues, valuesLocked } from '../ui/dialogs/confirm-login.tsx'
import { Boundary } from '../ui/problem.tsx'
import { StateText } from '../ui/state.tsx'
import { FailureBox } from '../ui/when-known.tsx'
import { stagedCount } from '../staging/staging.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { useAttention } from '../pages/overview/needing.ts'
import { FreshnessDot } from './freshness.tsx'
import { listShortcuts } from './go-into-list.ts'
import { useShortcuts, type Shortcut } from '../session/keys.ts'
import { later } from '../loading/later.ts'
import { Logo } from './logo.tsx'
import { NamedAddress } from './named-address.tsx'
import type { PaletteProps } from './palette/palette.tsx'
import { Outdated } from './outdated.tsx'
import { pages, reviewFile, type PageEntry, type RailEntry } from './pages.ts'
import { isAdmin, isInNoTeam, maySomewhere, me } from '../session/session.ts'
import { ShortcutSheet } from './sheet.tsx'
import { TeamSwitch } from './team-switch.tsx'
import { UserMenu } from './user-menu.tsx'
import { lazyView } from './view.tsx'
import { withQuery } from '../session/team.ts'
import { watchVersion } from '../loading/version.ts'
import Search from 'icon:search'
import s from './shell.module.css'

const isShown = ({ needs }: RailEntry): boolean =>
  needs === undefined || (needs === 'admin' ? isAdmin.value : maySomewhere(...needs))

type InRail = PageEntry & { readonly rail: RailEntry }
const inRail = (): InRail[] =>
  pages.filter((page): page is InRail => page.rail !== undefined && isShown(page.rail))

/** The chosen team stays chosen from page to page. */
const useHref = (): ((path: string) => string) => {
  const { query } = useLocation()
  return (path) => withQuery(path, { team: query['team'] })
}

/** Pages of one object, and its form, are below the list where it is found; a stagelet belongs to its project. */
const isCurrent = (path: string, at: string): boolean => {
  if (path === '/ui/') return at === '/ui/' || at === '/ui'
  const form = /^\/ui\/(?:new|t\/[^/]+\/edit)\/(\w+)/.exec(at)?.[1]
  if (form !== undefined) return path === `/ui/${form === 'rotation' ? 'project' : form}s`
  const letter = {
    '/ui/projects': '[ps]',
    '/ui/agents': 'a',
    '/ui/access': 'access',
    '/ui/people': '(?:members|tokens)',
  }[path]
  return (
    at.startsWith(path) ||
    (letter !== undefined && new RegExp(`^/ui/t/[^/]+/${letter}(/|$)`).test(at))
  )
}

/** How many need a person. */
const Troubled = ({ count }: { readonly count: Known<number> }) => {
  if (count.state === 'failed')
    return (
      <b class={s['badge']}>
        ?<span class="visually-hidden">: how many need attention is not known</span>
      </b>
    )
  const shown = partOf(count) ?? 0
  if (shown === 0) return null
  return (
    <b class={s['badge']}>
      {shown}
      <span class="visually-hidden"> need attention</span>
    </b>
  )
}

const Rail = () => {
  const { path } = useLocation()
  const href = useHref()
  const troubled = mapKnown(useAttention(), (all) => all.length)
  return (
    <nav class={s['rail']} aria-label="Pages">
      {inRail().map((page) => (
        <a
          href={href(page.path)}
          title={page.rail.label}
          aria-current={isCurrent(page.path, path) ? 'page' : undefined}
        >
          <page.rail.icon size={19} />
          <span>{page.rail.label}</span>
          {page.path === '/ui/' ? <Troubled count={troubled} /> : null}
        </a>
      ))}
    </nav>
  )
}

const views = pages.map(({ path, file }) => ({ path, View: lazyView(file) }))

// The file of the page comes while the session is asked for.
void views.find(({ path }) => exec(location.pathname, path) !== undefined)?.View.preload()

const paletteFile = later(() => import('./palette/palette.tsx'))

const LazyPalette = (props: PaletteProps) => {
  useEffect(() => paletteFile.want(), [])
  const file = paletteFile.file.value
  if (file.state === 'known') return <file.value.Palette {...props} />
  const failure = knownFailure(file)
  if (failure === undefined) return null
  return (
    <Dialog title="Find" onClose={props.onClose}>
      <FailureBox failure={failure} />
    </Dialog>
  )
}

/** What is staged can be applied, also where no other file comes any more. */
const useReviewFile = (): void => {
  const isStaged = stagedCount.value > 0
  useEffect(() => (isStaged ? reviewFile.want() : undefined), [isStaged])
}

const NotFound = () => (
  <PageFrame windowTitle="Not found" title="Page not found">
    <Empty
      title="There is no page at this address."
      action={<LinkButton href="/ui/">To the overview</LinkButton>}
    >
      The project or stagelet may have been deleted, or you are not in its team.
    </Empty>
  </PageFrame>
)

const NoTeam = () => (
  <PageFrame windowTitle="In no team" title="You are in no team">
    <Empty title="Nothing is shown to you">
      An owner of a team, or an admin, adds you: stagely admin team add TEAM {me.value?.name} --role
      ROLE.
    </Empty>
  </PageFrame>
)

const Pages = () => (
  <Router>
    {views.map(({ path: at, View }) => (
      <Route path={at} component={View} />
    ))}
    <Route default component={NotFound} />
  </Router>
)

export const DashboardShell = () => {
  const { route, path } = useLocation()
  const href = useHref()
  const [sheet, setSheet] = useState(false)
  const [palette, setPalette] = useState(false)
  const [copied, setCopied] = useState(false)
  useReviewFile()
  useEffect(watchVersion, [])
  const go: Shortcut[] = inRail().map(({ path: to, rail }) => ({
    keys: `g ${rail.letter}`,
    does: rail.label,
    group: 'Go to',
    run: () => (route(href(to)), true),
  }))
  useShortcuts([
    ...go,
    ...listShortcuts,
    {
      keys: '?',
      does: 'Show the shortcuts',
      group: 'Everywhere',
      run: () => (setSheet(true), true),
    },
    {
      keys: 'L',
      does: 'Lock values (screen sharing)',
      group: 'Everywhere',
      run: () => (lockValues(), true),
    },
    {
      keys: 'y',
      does: 'Copy the last action as commands',
      group: 'Everywhere',
      run: () => (setCopied(true), true),
    },
    {
      keys: 'Mod+k',
      does: 'Find pages, objects and actions by name',
      group: 'Everywhere',
      run: () => (setPalette(true), true),
    },
  ])
  return (
    <div class={s['shell']}>
      <a class={s['skip']} href="#main">
        Skip to content
      </a>
      <header class={s['bar']}>
        <a class={s['brand']} href={href('/ui/')} aria-label="Stagely, to the overview">
          <Logo />
          <span>Stagely</span>
        </a>
        <TeamSwitch />
        <div class={s['space']} />
        {valuesLocked.value ? <StateText kind="paused">Values locked</StateText> : null}
        <Button keys="Mod+k" onPress={() => setPalette(true)}>
          <Search size={15} />
          <span class={s['find']}>Find</span>
          <span class="visually-hidden"> pages, objects and actions</span>
        </Button>
        <FreshnessDot />
        <UserMenu onShortcuts={() => setSheet(true)} />
      </header>
      <Rail />
      <main class={s['main']} id="main" tabIndex={-1}>
        <Outdated />
        <Boundary key={path}>
          {isInNoTeam.value && path !== '/ui/me' ? (
            <NoTeam />
          ) : (
            <NamedAddress>
              <Pages />
            </NamedAddress>
          )}
        </Boundary>
      </main>
      {palette ? (
        <LazyPalette onClose={() => setPalette(false)} onShortcuts={() => setSheet(true)} />
      ) : null}
      {copied ? <CopyDialog actions={[]} onClose={() => setCopied(false)} /> : null}
      {sheet ? <ShortcutSheet onClose={() => setSheet(false)} /> : null}
    </div>
  )
}
