// The Kubernetes-style API for the commands. Throws StagelyError with the server's reason, or CliError
// when there was no answer.
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError, reasonOf, type Fault } from '../../src/kernel/errors.ts'
import { isRecord, tryParseJson } from '../../src/kernel/record.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { apiPathOf, type KindNames } from '../../src/resources/kind-names.ts'
import { createLineReader } from '../../src/protocol/ndjson.ts'
import {
  answerMs,
  notStagely,
  openResponse,
  readJson,
  readReply,
  refusedToken,
  requestIdOf,
  succeed,
  unbroken,
  type Call,
  type Reply,
} from './transport.ts'
import type { ControllerConnection } from './connect.ts'

export const mergePatch = 'application/merge-patch+json'
export const asTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

export interface WatchEvent {
  readonly type: string
  readonly object: KubeObject
}

export interface KubeList {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: KubeObject[]
}

export interface KubeApi {
  readonly server: string
  /** Default namespace of the connection. */
  readonly namespace: string
  call(path: string, call?: Call): Promise<unknown>
  /** Events until the server ends the stream (the iteration ends) or `signal` aborts. */
  watch(
    path: string,
    query: Record<string, string>,
    signal: AbortSignal,
    accept?: string,
  ): AsyncIterable<WatchEvent>
}

export const createApi = (
  deps: ControllerConnection,
  clock: Pick<Clock, 'sleep'> = realClock,
): KubeApi => ({
  server: deps.server,
  namespace: deps.namespace,
  call: async (path, call = {}) => {
    const sent = { silentMs: answerMs, ...call }
    const refused = (reply: Reply): Error => statusError(reply, deps.server)
    const response = await succeed({ ...deps, clock }, path, sent, refused)
    return readJson((await readReply(deps.server, response, call.signal)).text, deps.server)
  },
  watch: (path, query, signal, accept) =>
    watchEvents(deps, path, { query, signal, ...defined({ accept }) }),
})

interface StatusBody {
  readonly kind?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    name?: string
    kind?: string
    causes?: { field?: string; message?: string; reason?: string }[]
  }
}

const statusError = ({ status, headers, text }: Reply, server: string): Error => {
  const json = tryParseJson(text)
  if (!isRecord(json)) return notStagely(server, status)
  const body: StatusBody = json
  if (status === 401) return refusedToken(server, body.message)
  const faults = body.details?.causes?.map((cause) => ({
    field: cause.field ?? '',
    reason: (cause.reason ?? 'FieldValueInvalid') as Fault['reason'],
    message: cause.message ?? '',
  }))
  const { name, kind } = body.details ?? {}
  return new StagelyError(
    reasonOf(status, body.reason) ?? 'InternalError',
    body.message ?? `status ${status}`,
    {
      ...defined({ name, kind, faults }),
      ...requestIdOf(headers),
    },
  )
}

/** etcd holds objects of at most 1.5 MiB; an event is a little larger. */
const maxEventBytes = 8 << 20

async function* watchEvents(
  deps: ControllerConnection,
  path: string,
  { query, signal, accept }: Call & { readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent> {
  // A bookmark comes each minute: a connection that says nothing for longer is dead.
  const call = {
    query: { ...query, watch: 'true' },
    silentMs: answerMs,
    signal,
    ...defined({ accept }),
  }
  const response = await openResponse(deps.server, path, call, await deps.options())
  try {
    // The next list shows the error.
    if (response.statusCode !== 200) return
    let events: WatchEvent[] = []
    const read = createLineReader(maxEventBytes, (line) => {
      if (line !== '') events.push(readJson(line, deps.server) as WatchEvent)
    })
    for await (const chunk of unbroken(deps.server, response, signal)) {
      read(chunk)
      const come = events
      events = []
      yield* come
    }
  } finally {
    response.destroy()
  }
}

/** API path of a collection or of one object. Without a namespace: in all namespaces. */
export const pathOf = (kind: KindNames, namespace?: string, name?: string): string => {
  const scope =
    kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${apiPathOf(kind)}${scope}/${kind.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}
