// Events as a list and as a stream of server-sent events. Ids are resourceVersions, so that a client
// that reconnects with Last-Event-ID misses nothing. A slow reader delays only itself: further changes
// are read when it has taken the last ones.
import { projectNameOf } from '../../../../src/resources/project-ref.ts'
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { teamsWhere } from '../../../../src/access/principal.ts'
import { isAbort, isReason, messageOf, StagelyError } from '../../../../src/kernel/errors.ts'
import { firstSeenOf, lastSeenOf, timesSeen } from '../../../../src/kinds/event/schema.ts'
import { named, type RestKindName } from '../../../../src/kinds/names.ts'
import type { KindNames } from '../../../../src/resources/kind-names.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import { specOf } from '../../../../src/kinds/typed.ts'
import type { ChangeEvent, ListOptions } from '../../../../src/store/store.ts'
import { EndOfStream } from '../../auth.ts'
import { pieceLength, piecesOf } from '../../slow-readers.ts'
import { versionIn } from '../../version-text.ts'
import type { RestDeps } from '../deps.ts'
import { toAgent, toProject, toStagelet } from '../kinds.ts'
import { toFullSecret } from '../secret-kind.ts'
import { listRoute } from '../lists.ts'
import { toIssuer } from './issuer-routes.ts'
import { toPolicy } from './access-policy-routes.ts'
import { toAccessRequest } from '../access-request-shapes.ts'
import { toNotifier } from './notifier-routes.ts'
import { timeSchema } from '../representations.ts'
import { toRotation } from '../rotation-shapes.ts'
import { withHeartbeat } from '../heartbeat.ts'
import { requireTarget, route, routesOf, type RestAnswer, type RestContext } from '../route.ts'
import { answer } from '../shapes.ts'
import { toStore } from './store-routes.ts'

const eventSchema = z.strictObject({
  kind: z.string().describe('Of what it happened to.'),
  name: z.string(),
  type: z.enum(['Normal', 'Warning']),
  reason: z.string().describe('One word for what happened.'),
  message: z.string(),
  count: z.int().describe('How often.'),
  first_seen: timeSchema,
  last_seen: timeSchema,
})

const shownEvent = (object: KubeObject) => {
  const event = specOf('Event', object)
  const { creationTimestamp = '', name: id } = object.metadata
  return {
    ...event,
    id,
    kind: event.involvedObject.kind ?? '',
    name: event.involvedObject.name ?? '',
    count: timesSeen(event),
    firstSeen: firstSeenOf(event) || creationTimestamp,
    lastSeen: lastSeenOf(event) || creationTimestamp,
  }
}

const toEvent = (object: KubeObject): z.infer<typeof eventSchema> =>
  answer(eventSchema, shownEvent(object))

const shows: Readonly<Record<RestKindName | 'Event', (object: KubeObject) => object>> = {
  Project: toProject,
  StagelySecret: toFullSecret,
  Stagelet: toStagelet,
  Agent: toAgent,
  Rotation: toRotation,
  SecretStore: toStore,
  Notifier: toNotifier,
  TrustedIssuer: toIssuer,
  AccessPolicy: toPolicy,
  AccessRequest: toAccessRequest,
  Event: toEvent,
}

interface Streamed {
  /** Its word in the stream. */
  readonly word: string
  readonly show: (object: KubeObject) => object
}

const wordOf = ({ kind, singular, rest }: KindNames): string =>
  rest?.event ?? rest?.word ?? (kind === 'Event' ? singular : '')

const streamed: ReadonlyMap<string, Streamed> = new Map(
  Object.entries(shows).map(([kind, show]) => [
    kind,
    { word: wordOf(named[kind as keyof typeof shows]), show },
  ]),
)
const words = [...streamed.values()].map(({ word }) => word)

const streamQuery = z.strictObject({
  kinds: z
    .string()
    .max(limits.word)
    .refine(
      (text) => text.split(',').every((word) => words.includes(word)),
      `must be of ${words.join(', ')}, with commas`,
    )
    .optional()
    .describe('Only these: project,secret. All when absent.'),
  after: z
    .string()
    .max(limits.word)
    .refine((text) => versionIn(text) !== undefined, 'must be a resourceVersion')
    .optional()
    .describe(
      'Changes after this resourceVersion; from now on when absent. `Last-Event-ID`, which a browser sends when it connects again, goes before it.',
    ),
})
type StreamQuery = z.infer<typeof streamQuery>

type Wants = (object: KubeObject) => boolean

/** Changes of one project, of its objects, and of Events about them. `uids` are those of the project and its objects. */
const inProject = (project: KubeObject, uids: Set<string | undefined>): Wants => {
  const { namespace, name, uid } = project.metadata
  return (object) => {
    if (object.metadata.namespace !== namespace) return false
    if (object.kind === 'Event') return uids.has(specOf('Event', object).involvedObject.uid)
    const mine = object.metadata.uid === uid || projectNameOf(object) === name
    if (mine) uids.add(object.metadata.uid)
    return mine
  }
}

const uidsIn = async (
  store: RestDeps['store'],
  { metadata: { namespace, name, uid } }: KubeObject,
): Promise<Set<string | undefined>> => {
  const uids = new Set([uid])
  for (const kind of ['StagelySecret', 'Stagelet', 'Rotation'])
    for (const row of await store.listRows(kind, { namespace, project: name })) uids.add(row.uid)
  return uids
}

const startOf = ({ request, query }: RestContext<StreamQuery>): number | undefined => {
  const header = request.headers.get('last-event-id')
  if (header === null || header === '')
    return query.after === undefined ? undefined : Number(query.after)
  const version = versionIn(header)
  if (version !== undefined) return version
  throw new StagelyError('BadRequest', 'Last-Event-ID must be the id of an event of this stream')
}

const stream = (
  context: RestContext<StreamQuery>,
  from: Pick<From, 'wants' | 'scope' | 'version'>,
): RestAnswer => {
  const { signal, query, deps } = context
  const { store, log } = deps
  const after = startOf(context) ?? from.version
  const only = query.kinds?.split(',')
  const wants: Wants = (object) => {
    const word = streamed.get(object.kind)?.word
    // A project's filter learns from each object that it sees.
    return from.wants(object) && word !== undefined && only?.includes(word) !== false
  }
  const changes = framesToEnd(store, { ...from, wants, after, signal })
  const failed = (error: unknown): void => {
    if (!isAbort(error)) log.warn({ err: messageOf(error) }, 'an event stream ended')
  }
  return {
    headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    stream: withHeartbeat(changes, { failed, isFresh: () => isFresh(deps) }),
  }
}

/** While the database is away, or full, nothing new is heard: what clients show is as of before. */
const isFresh = async ({ store, disk }: Pick<RestDeps, 'store' | 'disk'>): Promise<boolean> => {
  const { ok, failed } = await store.health()
  return (ok || failed === 'key-provider') && (await disk()) === undefined
}

const frameOf = ({ type, object, resourceVersion }: ChangeEvent, wants: Wants): string => {
  const as = streamed.get(object.kind)
  if (as === undefined || !wants(object)) return ''
  const data = JSON.stringify({ action: type.toLowerCase(), object: as.show(object) })
  return `id: ${resourceVersion}\nevent: ${as.word}\ndata: ${data}\n\n`
}

/** The next frames are made when the client has taken the ones before. Ends where `signal` aborts. */
function* piecesIn(
  batch: readonly ChangeEvent[],
  wants: Wants,
  signal: AbortSignal,
): Generator<string> {
  let text = ''
  for (const change of batch) {
    if (signal.aborted) return
    text += frameOf(change, wants)
    if (text.length < pieceLength) continue
    yield* piecesOf(text)
    text = ''
  }
  if (text !== '') yield text
}

interface From {
  readonly after: number
  /** The newest version. */
  readonly version: number
  readonly wants: Wants
  readonly scope: ListOptions
  readonly signal: AbortSignal
}

/** Clients of a controller that restarts do not come back all at once. */
const retryMs = (): number => 1_000 + Math.floor(Math.random() * 4_000)

/** Why the stream ends, where the login is the reason. */
const endOf = ({ reason }: AbortSignal): string => {
  if (!(reason instanceof EndOfStream)) return ''
  return `event: end\ndata: ${JSON.stringify({ reason: reason.why })}\n\n`
}

async function* framesToEnd(store: RestDeps['store'], from: From): AsyncGenerator<string> {
  try {
    yield* frames(store, from)
  } catch (error) {
    if (!from.signal.aborted || !isAbort(error)) throw error
  }
  yield endOf(from.signal)
}

const resetAt = (position: number): string => `id: ${position}\nevent: reset\ndata: {}\n\n`

async function* frames(
  store: RestDeps['store'],
  { after, version, wants, scope, signal }: From,
): AsyncGenerator<string> {
  let position = after
  yield `id: ${position}\nevent: ready\nretry: ${retryMs()}\ndata: {}\n\n`
  if (after > version) {
    // The position is from another controller: waiting for that version would miss all events until
    // then.
    position = version
    yield resetAt(position)
  }
  while (!signal.aborted) {
    try {
      for await (const batch of store.watch(position, signal, scope)) {
        yield* piecesIn(batch, wants, signal)
        position = batch.at(-1)?.resourceVersion ?? position
        if (signal.aborted) return
      }
      return
    } catch (error) {
      if (!isReason(error, 'Expired')) throw error
      // Older than the kept history: the client reads everything again, and continues from here.
      position = await store.currentVersion()
      yield resetAt(position)
    }
  }
}

export const eventRoutes = routesOf('Events', [
  listRoute({
    id: 'listEvents',
    at: 'GET /projects/:project_id/events',
    summary:
      'What happened to a project, its secrets, stagelets and rotations within the hour, newest first.',
    access: { in: 'project', verb: 'list', resource: 'events', placed: true },
    description: 'One page of events.',
    item: eventSchema,
    read: async (context) => {
      const { namespace, name } = requireTarget(context).metadata
      const { items } = await context.deps.store.list('Event', { namespace, project: name })
      return items.map(shownEvent)
    },
    order: {
      of: 'events',
      placeOf: ({ lastSeen, id }) => [lastSeen, id],
      descending: true,
    },
  }),
  route({
    id: 'streamProject',
    at: 'GET /projects/:project_id/stream',
    summary: 'Changes of a project, live, as server-sent events.',
    access: { in: 'project', verb: 'watch', resource: 'events', placed: true },
    query: streamQuery,
    response: { description: 'text/event-stream; see the stream of all your teams.' },
    handle: async (context) => {
      const project = requireTarget(context)
      const { store } = context.deps
      const version = await store.currentVersion()
      const wants = inProject(project, await uidsIn(store, project))
      const scope = { namespace: project.metadata.namespace }
      return stream(context, { wants, scope, version })
    },
  }),
  route({
    id: 'stream',
    at: 'GET /stream',
    summary: 'Changes in all your teams, live, as server-sent events.',
    access: { in: 'teams', verb: 'watch', resource: 'events', placed: true },
    query: streamQuery,
    response: {
      description:
        'text/event-stream. `event` is project, secret, stagelet, agent, rotation, store, notifier, issuer or event; `data` is `{"action": "added|modified|deleted", "object": …}`. `Last-Event-ID` goes on where a stream ended; after `event: reset` read everything again. `event: end` says in `data.reason` that the login has ended (`login`) or has other rights now (`rights`).',
    },
    handle: async (context) => {
      const teams = teamsWhere(context.principal, 'watch', 'events')
      const wants: Wants = ({ metadata }) => teams?.includes(metadata.namespace ?? '') ?? true
      const version = await context.deps.store.currentVersion()
      return stream(context, { wants, scope: { within: teams }, version })
    },
  }),
])
