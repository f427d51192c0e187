// All that the dashboard knows of the world: projects, stagelets and agents of all one's teams, its stores and
// notifiers once they were looked at, and the secrets and rotations of each project that was opened. See collection.ts for how a list and the stream become one.
import { signal } from '@preact/signals'
import { api, must } from '../api/client.ts'
import type {
  Agent,
  Notifier,
  Project,
  Rotation,
  Secret,
  Stagelet,
  StageletEvent,
  Store,
  TrustedIssuer,
} from '../../src/generated/rest-types.ts'
import { now, thisSecond } from '../api/clock.ts'
import {
  createCollection,
  type Change,
  type Collection,
  type HasId,
  type ReadAll,
} from './collection.ts'
import { someOf } from './known.ts'
import { retryFailed } from './retry.ts'
import type { SseMessage } from './sse.ts'
import { freshness, isStreamLive, startStream, type LiveStream } from './stream.ts'

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

/** When all lists were read last; 0: never. */
let refreshedAt = 0

/** All lists that are read and kept up to date. */
const lists: Pick<Collection<HasId>, 'list' | 'isReading' | 'refresh'>[] = []

const listed = <T extends HasId>(readAll: ReadAll<T>): Collection<T> => {
  const collection = createCollection(readAll)
  lists.push(collection)
  if (refreshedAt > 0) void collection.refresh()
  return collection
}

/** One that no page has asked for yet is not read. */
const whenAsked = <T extends HasId>(
  readAll: ReadAll<T>,
): {
  readonly of: () => Collection<T>
  readonly opened: () => Collection<T> | undefined
} => {
  let collection: Collection<T> | undefined
  return { of: () => (collection ??= listed(readAll)), opened: () => collection }
}

interface InProject extends HasId {
  readonly team: string
  readonly project: string
}

/** A list for each project that was opened: read once the stream stands, and kept up to date from then on. */
const byProject = <T extends InProject>(
  readIn: (project_id: string) => ReadAll<T>,
): {
  readonly of: (team: string, project: string) => Collection<T>
  readonly all: () => Collection<T>[]
  readonly take: (change: Change<T>) => void
} => {
  const collections = new Map<string, Collection<T>>()
  const placeOf = (team: string, project: string): string => `${team}/${project}`
  return {
    of: (team, project) => {
      const place = placeOf(team, project)
      const collection = collections.get(place) ?? listed(readIn(place))
      collections.set(place, collection)
      return collection
    },
    all: () => [...collections.values()],
    take: (change) => {
      const { team, project } = change.object
      collections.get(placeOf(team, project))?.take(change)
    },
  }
}

export const projects = listed<Project>(
  paged(
    (asked, signal) => must(api.GET('/projects', { params: { query: asked }, signal })),
    (page) => page.projects,
  ),
)
export const stagelets = listed<Stagelet>(
  paged(
    (asked, signal) => must(api.GET('/stagelets', { params: { query: asked }, signal })),
    (page) => page.stagelets,
  ),
)
/** Whether the caller may list agents. Whoever may not knows of none. */
let mayListAgents = (): boolean => true

const readAgents = paged<Agent, Page & { readonly agents: readonly Agent[] }>(
  (asked, signal) => must(api.GET('/agents', { params: { query: asked }, signal })),
  (page) => page.agents,
)
export const agents = listed<Agent>(async (onPage, signal) => {
  if (mayListAgents()) await readAgents(onPage, signal)
})
const stores = whenAsked<Store>(
  paged(
    (asked, signal) => must(api.GET('/stores', { params: { query: asked }, signal })),
    (page) => page.stores,
  ),
)
const notifiers = whenAsked<Notifier>(
  paged(
    (asked, signal) => must(api.GET('/notifiers', { params: { query: asked }, signal })),
    (page) => page.notifiers,
  ),
)
const issuers = whenAsked<TrustedIssuer>(
  paged(
    (asked, signal) => must(api.GET('/issuers', { params: { query: asked }, signal })),
    (page) => page.issuers,
  ),
)
const secrets = byProject<Secret>((project_id) =>
  paged(
    (asked, signal) =>
      must(
        api.GET('/projects/{project_id}/secrets', {
          params: { path: { project_id }, query: { view: 'full', ...asked } },
          signal,
        }),
      ),
    // `view: full` answers with full secrets only.
    (page) => page.secrets as readonly Secret[],
  ),
)
const rotations = byProject<Rotation>((project_id) =>
  paged(
    (query, signal) =>
      must(
        api.GET('/projects/{project_id}/rotations', {
          params: { path: { project_id }, query },
          signal,
        }),
      ),
    (page) => page.rotations,
  ),
)

export const { of: allStores } = stores
export const { of: allNotifiers } = notifiers
export const { of: allIssuers } = issuers
export const { of: secretsOf } = secrets
export const { of: rotationsOf } = rotations

/** The secrets of all projects that were opened. */
export const knownSecrets = (): Secret[] => secrets.all().flatMap(({ list }) => someOf(list.value))

/** The newest events of the stream, newest first; gone when the page is loaded again. */
export const recentEvents = signal<readonly StageletEvent[]>([])
const mostEvents = 200

const refreshAll = (): void => {
  refreshedAt = now()
  for (const list of lists) void list.refresh()
}

/** By the name of the event. */
const takers: Readonly<Record<string, (change: Change<never>) => void>> = {
  project: projects.take,
  stagelet: stagelets.take,
  agent: agents.take,
  store: (change) => stores.opened()?.take(change),
  notifier: (change) => notifiers.opened()?.take(change),
  issuer: (change) => issuers.opened()?.take(change),
  secret: secrets.take,
  rotation: rotations.take,
  event: ({ object }: Change<StageletEvent>) => {
    recentEvents.value = [object, ...recentEvents.peek()].slice(0, mostEvents)
  },
}

/** The second (ms) in which something changed last, as far as the stream told. */
export const changedAt = signal(0)

const take = ({ event, data }: SseMessage): void => {
  changedAt.value = thisSecond.peek()
  takers[event]?.(JSON.parse(data) as Change<never>)
}

/** Reads all lists after the computer has slept, and every ten minutes in case an event was missed. */
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
export const startLive = (onLogout: () => void, mayList: () => boolean): LiveStream => {
  mayListAgents = mayList
  const stream = startStream({ onMessage: take, onGap: refreshAll }, onLogout)
  const stops = [
    watchForGaps(),
    retryFailed(() => lists, isStreamLive, thisSecond),
    readWithoutStream(),
  ]
  return {
    ...stream,
    stop: () => {
      for (const stop of stops) stop()
      stream.stop()
    },
  }
}
