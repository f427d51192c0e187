// All that the dashboard knows of the world: projects, stagelets and agents of all one's teams, and the secrets
// of each project that was opened. See collection.ts for how a list and the stream become one.
import { signal } from '@preact/signals'
import { api, must } from '../api/client.ts'
import type { Agent, Project, Secret, Stagelet, StageletEvent } from '../../../src/rest/types.ts'
import { now, thisSecond } from './clock.ts'
import { createCollection, type Change, type Collection, type ReadAll } from './collection.ts'
import { someOf } from './known.ts'
import { mendWhenLive } from './mend.ts'
import type { Message } from './sse.ts'
import { freshness, isLive, startStream, type Stream } from './stream.ts'

const pageSize = 1000
/** Rows that fill a screen are there while the rest is read. */
const firstPageSize = 100
const relistMs = 600_000

type Page = { readonly next_cursor?: string }

interface Asked {
  readonly limit: number
  readonly cursor?: string
}

/** Reads page after page. */
const paged =
  <T, P extends Page>(
    read: (asked: Asked, signal: AbortSignal) => Promise<P>,
    rowsOf: (page: P) => readonly T[],
  ): ReadAll<T> =>
  async (onPage, signal) => {
    let asked: Asked | undefined = { limit: firstPageSize }
    while (asked !== undefined) {
      const page: P = await read(asked, signal)
      onPage(rowsOf(page))
      const cursor = page.next_cursor
      asked = cursor === undefined ? undefined : { limit: pageSize, cursor }
    }
  }

export const projects: Collection<Project> = createCollection(
  paged(
    (asked, signal) => must(api.GET('/projects', { params: { query: asked }, signal })),
    (page) => page.projects,
  ),
)
export const stagelets: Collection<Stagelet> = createCollection(
  paged(
    (asked, signal) => must(api.GET('/stagelets', { params: { query: asked }, signal })),
    (page) => page.stagelets,
  ),
)
export const agents: Collection<Agent> = createCollection(
  paged(
    (asked, signal) => must(api.GET('/agents', { params: { query: asked }, signal })),
    (page) => page.agents,
  ),
)

const secretsByProject = new Map<string, Collection<Secret>>()
const placeOf = (team: string, project: string): string => `${team}/${project}`

/** The secrets of one project; read once the stream stands, and kept up to date from then on. */
export const secretsOf = (team: string, project: string): Collection<Secret> => {
  const place = placeOf(team, project)
  const known = secretsByProject.get(place)
  if (known !== undefined) return known
  const path = { project_id: place }
  const made = createCollection<Secret>(
    paged(
      (asked, signal) =>
        must(
          api.GET('/projects/{project_id}/secrets', {
            params: { path, query: { view: 'full', ...asked } },
            signal,
          }),
        ),
      // `view: full` answers with full secrets only.
      (page) => page.secrets as readonly Secret[],
    ),
  )
  secretsByProject.set(place, made)
  if (refreshedAt > 0) void made.refresh()
  return made
}

/** The secrets of all projects that were opened. */
export const knownSecrets = (): Secret[] =>
  [...secretsByProject.values()].flatMap(({ known }) => someOf(known.value))

/** The newest events of the stream, newest first; gone when the page is loaded again. */
export const recentEvents = signal<readonly StageletEvent[]>([])
const mostEvents = 200

const allLists = () => [projects, stagelets, agents, ...secretsByProject.values()]

const refreshAll = (): void => {
  refreshedAt = now()
  for (const one of allLists()) void one.refresh()
}
let refreshedAt = 0

const take = ({ event, data }: Message): void => {
  const change = JSON.parse(data) as Change<never>
  switch (event) {
    case 'project':
      projects.take(change)
      break
    case 'stagelet':
      stagelets.take(change)
      break
    case 'agent':
      agents.take(change)
      break
    case 'secret': {
      const { team, project } = change.object as Secret
      secretsByProject.get(placeOf(team, project))?.take(change)
      break
    }
    case 'event':
      recentEvents.value = [change.object as StageletEvent, ...recentEvents.peek()].slice(
        0,
        mostEvents,
      )
      break
  }
}

/** After sleep no event says what was missed, and a list now and then mends what nobody foresaw. */
const watchForGaps = (): (() => void) => {
  let before = now()
  return thisSecond.subscribe((at) => {
    const slept = at - before > 60_000
    before = at
    if (refreshedAt > 0 && (slept || at - refreshedAt > relistMs)) refreshAll()
  })
}

/** Where the stream does not come to stand, lists are read without it: one sees at least why not. */
const readWithoutStream = (): (() => void) =>
  freshness.subscribe(({ phase }) => {
    if (phase === 'broken' && refreshedAt === 0) refreshAll()
  })

/** Starts the stream; lists are read when the stream stands. */
export const startLive = (onLogout: () => void): Stream => {
  const stream = startStream({ onMessage: take, onGap: refreshAll }, onLogout)
  const stops = [watchForGaps(), mendWhenLive(allLists, isLive, thisSecond), readWithoutStream()]
  return {
    ...stream,
    stop: () => {
      for (const stop of stops) stop()
      stream.stop()
    },
  }
}
