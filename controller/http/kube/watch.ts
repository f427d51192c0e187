// Watches: NDJSON, written directly to the Node response.
// INVARIANTS: headers are sent before the first event; every change after the list's version is sent
// exactly once and in order; the stream ends cleanly on timeout, stop and error, and when the login
// ends or its rights change.
import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Clock } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { isAbort, messageOf, StagelyError } from '../../../src/kernel/errors.ts'
import { linkedAbort } from '../../../src/kernel/async/linked-abort.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { apiVersionOf } from '../../../src/resources/kind-names.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { CallerStore } from '../../../src/store/caller-store.ts'
import type { ChangeEvent, Store, StoredObject } from '../../../src/store/store.ts'
import { storeOf, type AppContext } from '../env.ts'
import { pieceLength, writePieces } from '../slow-readers.ts'
import { asStored, includeOf, rowOf, tableHead, type Include } from './answer.ts'
import { negotiate } from './negotiate.ts'
import {
  isSelective,
  isTrueParam,
  secondsOf,
  listSelectionOf,
  selects,
  type ListSelection,
} from './params.ts'
import { forbiddenOption, matchOf, requireReached, resourceVersionOf } from './resource-version.ts'
import { failureStatus } from './status.ts'
import { toPartial, toWire, wireText } from './wire-form.ts'

export interface WatchDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal
  /** Default: one minute. */
  readonly bookmarkEveryMs?: number
}

type StreamDeps = Omit<WatchDeps, 'store'> & { readonly store: CallerStore }

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

const usualBookmarkEveryMs = 60_000
const minOpenSeconds = 1_800
/** A Node timer of more than 2^31 ms fires at once. */
const maxOpenSeconds = 2_000_000

/** `json` is the JSON text of an object. */
const lineOfText = (type: EventType, json: string): string =>
  `{"type":"${type}","object":${json}}\n`

const line = (type: EventType, object: object): string => lineOfText(type, JSON.stringify(object))

export const serveWatch =
  (deps: WatchDeps, kind: Kind) =>
  async (c: AppContext): Promise<Response> => {
    const plan = planOf(c, kind)
    if (plan.sendsInitial) await requireReached(deps.store, resourceVersionOf(c))
    const response = c.env.outgoing
    const done = watchSignal(response, deps.stopping, plan.seconds)
    try {
      c.get('whileLoggedIn')(done.signal).addEventListener('abort', done.end, { once: true })
    } catch (error) {
      done.clear()
      throw error
    }
    response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
    })
    response.flushHeaders()
    c.get('slowReaders').follow(response, c.get('user').id)
    try {
      const store = storeOf(c, deps.store)
      await stream({ ...deps, store }, plan, { response, signal: done.signal })
    } catch (error) {
      if (!isAbort(error) && !response.destroyed)
        response.write(line('ERROR', failureStatus(asStagely(error, deps.log))))
    } finally {
      done.clear()
      response.end()
    }
    return RESPONSE_ALREADY_SENT
  }

const asStagely = (error: unknown, log: Logger): StagelyError => {
  if (error instanceof StagelyError) return error
  log.error({ err: messageOf(error) }, 'a watch failed')
  return new StagelyError('InternalError', 'an internal error ended this watch')
}

interface Plan {
  readonly kind: Kind
  readonly selection: ListSelection
  /** The version after which to start; undefined: now. */
  readonly after: number | undefined
  /** True: send the existing objects first. */
  readonly sendsInitial: boolean
  /** True: send a bookmark after the existing objects. */
  readonly endsInitial: boolean
  readonly bookmarks: boolean
  readonly seconds: number
  readonly shape: ReturnType<typeof negotiate>['shape']
  readonly include: Include
}

const planOf = (c: AppContext, kind: Kind): Plan => {
  const asked = resourceVersionOf(c)
  const version = asked === 0 ? undefined : asked
  const initial = c.req.query('sendInitialEvents')
  const option = 'resourceVersionMatch'
  const match = matchOf(c, ['NotOlderThan'])
  if (initial !== undefined && match === undefined)
    throw forbiddenOption(c, option, `sendInitialEvents requires setting ${option} to NotOlderThan`)
  if (initial === undefined && match !== undefined)
    throw forbiddenOption(
      c,
      option,
      `${option} is forbidden for watch unless sendInitialEvents is provided`,
    )
  const bookmarks = isTrueParam(c.req.query('allowWatchBookmarks'))
  const wantsInitial = initial === undefined ? version === undefined : isTrueParam(initial)
  return {
    kind,
    selection: listSelectionOf(c, kind),
    after: wantsInitial ? undefined : version,
    sendsInitial: wantsInitial,
    endsInitial: wantsInitial && bookmarks,
    bookmarks,
    seconds: openSecondsOf(c),
    shape: negotiate(c.req.header('accept')).shape,
    include: includeOf(c),
  }
}

/** As in Kubernetes, 0 and absent leave the end to the server. */
const openSecondsOf = (c: AppContext): number => {
  const asked = ['timeoutSeconds', 'timeout']
    .map((name) => secondsOf(c, name))
    .filter((seconds) => seconds > 0)
  const spread = minOpenSeconds * (1 + Math.random())
  return Math.min(...(asked.length === 0 ? [spread] : asked), maxOpenSeconds)
}

/** Aborts when the client disconnects, the server stops or the time is over, and when it is cleared. */
const watchSignal = (
  response: ServerResponse,
  stopping: AbortSignal,
  seconds: number,
): { signal: AbortSignal; end: () => void; clear: () => void } => {
  const ending = linkedAbort(stopping)
  const abort = (): void => ending.abort()
  const timer = setTimeout(abort, seconds * 1000)
  response.once('close', abort)
  return {
    signal: ending.signal,
    end: abort,
    clear: () => {
      clearTimeout(timer)
      response.off('close', abort)
      abort()
    },
  }
}

interface Sink {
  readonly response: ServerResponse
  readonly signal: AbortSignal
}

const stream = async (deps: StreamDeps, plan: Plan, sink: Sink): Promise<void> => {
  const render = renderer(plan, deps.clock)
  let sent = plan.after ?? (await begin(deps, plan, { sink, render }))
  let readVersion = sent
  const timer = setInterval(() => {
    // What was written before has to be taken first.
    if (!plan.bookmarks || readVersion <= sent || sink.response.writableNeedDrain) return
    sent = readVersion
    sink.response.write(bookmarkLine(plan.kind, readVersion, render))
  }, deps.bookmarkEveryMs ?? usualBookmarkEveryMs)
  try {
    for await (const batch of deps.store.watch(sent, sink.signal, plan.selection)) {
      let text = ''
      for (const event of batch) {
        const rendered = lineOf(plan, event, render)
        if (rendered !== undefined) {
          text += rendered
          sent = event.resourceVersion
        }
        readVersion = event.resourceVersion
        if (text.length >= pieceLength) {
          await write(sink, text)
          text = ''
        }
      }
      if (text !== '') await write(sink, text)
    }
  } finally {
    clearInterval(timer)
  }
}

/** Waits for a slow client, which thereby delays only its own stream. */
const write = ({ response, signal }: Sink, text: string): Promise<void> =>
  writePieces(response, text, signal)

/** Sends the existing objects, if wanted; returns the version from which to continue. */
const begin = async (
  deps: StreamDeps,
  plan: Plan,
  { sink, render }: { sink: Sink; render: Render },
): Promise<number> => {
  const { namespace, within } = plan.selection
  const limit = plan.sendsInitial ? Number.MAX_SAFE_INTEGER : 1
  const list = await deps.store.listPage(plan.kind.kind, { namespace, within, limit })
  if (!plan.sendsInitial) return list.resourceVersion
  for (const item of list.items)
    if (selects(plan.selection, item)) await write(sink, lineOfText('ADDED', render(item)))
  if (plan.endsInitial) {
    const end = { 'k8s.io/initial-events-end': 'true' }
    await write(sink, bookmarkLine(plan.kind, list.resourceVersion, render, end))
  }
  return list.resourceVersion
}

/** A bookmark of the watched kind: clients' decoders accept no other. */
const bookmarkLine = (
  kind: Kind,
  version: number,
  render: Render,
  annotations?: Record<string, string>,
): string => {
  const metadata = {
    resourceVersion: String(version),
    ...defined({ annotations }),
  }
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata }
  return lineOfText('BOOKMARK', render(asStored(object as KubeObject)))
}

/** JSON of an object in the requested format. */
type Render = (stored: StoredObject) => string

const renderer = ({ kind, shape, include }: Plan, clock: Clock): Render => {
  if (shape === 'object') return (stored) => wireText(kind, stored)
  if (shape === 'PartialObjectMetadata')
    return ({ object }) => JSON.stringify(toPartial(toWire(object)))
  // Column definitions are only in the first event of the stream.
  let columns: null | undefined
  return ({ object }) => {
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' }
    const head = JSON.stringify(tableHead(kind, metadata, columns))
    columns = null
    return `${head.slice(0, -1)},"rows":[${rowOf(kind, object, include, clock.now())}]}`
  }
}

/** The plain line of a change is the same for every watcher: 1,000 watchers need one text. */
const plainLines = new WeakMap<ChangeEvent, string>()

const lineOf = (plan: Plan, event: ChangeEvent, render: Render): string | undefined => {
  const { kind, selection } = plan
  const { object } = event
  if (object.kind !== kind.kind) return undefined
  if (!isIn(selection, object)) return undefined
  const type = transition(selection, event)
  if (type === undefined) return undefined
  if (type === 'DELETED' && event.type !== 'DELETED')
    return lineOfText(type, render(asStored(asItWas(event))))
  if (plan.shape !== 'object' || type !== event.type) return lineOfText(type, render(event))
  const cachedLine = plainLines.get(event)
  if (cachedLine !== undefined) return cachedLine
  const text = lineOfText(type, render(event))
  plainLines.set(event, text)
  return text
}

const isIn = ({ namespace, within }: ListSelection, { metadata }: KubeObject): boolean => {
  if (namespace !== undefined) return metadata.namespace === namespace
  return within === undefined || within.includes(metadata.namespace ?? metadata.name)
}

/** The event for this watcher: entering the selection is ADDED, leaving it is DELETED. */
const transition = (
  selection: ListSelection,
  event: ChangeEvent,
): ChangeEvent['type'] | undefined => {
  const { type } = event
  if (!isSelective(selection)) return type
  const now = selects(selection, event)
  const previous = type === 'MODIFIED' ? event.previous : undefined
  if (previous === undefined) return now ? type : undefined
  const before = selects(selection, { object: previous })
  if (now) return before ? 'MODIFIED' : 'ADDED'
  return before ? 'DELETED' : undefined
}

/** The last state inside the selection, with the version of the change. */
const asItWas = ({ previous, object }: ChangeEvent): KubeObject => {
  const was = previous ?? object
  const { resourceVersion = '' } = object.metadata
  return { ...was, metadata: { ...was.metadata, resourceVersion } }
}
