// The audit of what was refused. Whoever is refused chooses how often, so rows are bounded: the
// first attempt of its kind is a row at once, the same again within the minute is counted into one
// more, and past the budget of a minute all the rest is one row that counts them.
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'
import { startSingleLoop } from '../../src/runtime/single-loop.ts'
import type { AuditLog } from '../../src/store/audit/audit-log.ts'
import type { Actor } from '../../src/store/store.ts'
import { controllerActor } from '../../src/store/core/actor.ts'
import { clientNetwork } from './request-identity.ts'

const minuteMs = 60_000
/** Rows a minute: for one actor from one address, and for all of them. */
const perActor = 20
const inAll = 300

interface Denied {
  readonly actor: Actor
  /** The team that was asked for; '' where that is not known. */
  readonly namespace: string
  readonly method: string
  /** Pattern of the route: bounded, where paths are not. */
  readonly route: string
  readonly path: string
  readonly status: number
  readonly why: string
  /** What the row says beside. */
  readonly detail?: { readonly reason: string } & Readonly<Record<string, string>>
}

export interface DeniedLog {
  /** Resolves when the row is stored, where it gets one; never rejects. */
  record(denied: Denied): Promise<void>
  /** A token that nobody ever had: counted, with one row a minute. */
  countUnknown(): void
  /** Writes what was counted, and waits for rows that are being written. */
  stop(): Promise<void>
}

interface Repeated {
  readonly denied: Denied
  again: number
}

const whoOf = ({ actor }: Denied): string =>
  JSON.stringify([actor.id ?? actor.name, clientNetwork(actor.address ?? '')])
const keyOf = (denied: Denied): string =>
  JSON.stringify([
    ...[whoOf(denied), denied.method, denied.route, denied.namespace, denied.status],
    denied.detail?.reason,
  ])

const maxPath = 300
const refOf = ({
  namespace,
  route,
}: Denied): { kind: string; namespace: string; name: string } => ({
  kind: 'Request',
  namespace,
  name: route,
})

export const createDeniedLog = (deps: {
  audit: AuditLog
  clock: Clock
  log: Logger
}): DeniedLog => {
  const { audit, log } = deps
  let repeatedRequests = new Map<string, Repeated>()
  let actors = new Map<string, number>()
  let beyond = 0
  let unknown = 0
  const writing = new Set<Promise<void>>()

  const write = async (
    actor: Actor,
    ref: ReturnType<typeof refOf>,
    detail: Record<string, unknown>,
  ): Promise<void> => {
    try {
      await audit.record(actor, ref, { action: 'deny', detail, result: 'denied' })
    } catch (error) {
      // It was refused all the same.
      log.error({ err: messageOf(error), route: ref.name }, 'a denied attempt could not be audited')
    }
  }

  const writeOne = (denied: Denied, counted: Record<string, unknown> = {}): Promise<void> => {
    const { method, path, status, why, detail: more } = denied
    const detail = { method, path: path.slice(0, maxPath), status, why, ...more, ...counted }
    return write(denied.actor, refOf(denied), detail)
  }

  const flush = async (): Promise<ReconcileOutcome> => {
    const repeated = [...repeatedRequests.values()].filter(({ again }) => again > 0)
    const rest = { beyond, unknownTokens: unknown }
    repeatedRequests = new Map()
    actors = new Map()
    beyond = 0
    unknown = 0
    for (const { denied, again } of repeated) await writeOne(denied, { again })
    const ref = { kind: 'Request', namespace: '', name: '*' }
    if (rest.beyond + rest.unknownTokens > 0) await write(controllerActor, ref, rest)
    return waitFor(minuteMs)
  }
  const loop = startSingleLoop(deps, { name: 'denied attempts', settleMs: minuteMs, run: flush })
  loop.schedule()

  return {
    record: async (denied) => {
      const key = keyOf(denied)
      const same = repeatedRequests.get(key)
      if (same !== undefined) {
        same.again += 1
        return
      }
      const who = whoOf(denied)
      const rows = actors.get(who) ?? 0
      if (rows >= perActor || repeatedRequests.size >= inAll) {
        beyond += 1
        return
      }
      actors.set(who, rows + 1)
      repeatedRequests.set(key, { denied, again: 0 })
      const written = writeOne(denied)
      writing.add(written)
      await written.finally(() => writing.delete(written))
    },
    countUnknown: () => {
      unknown += 1
    },
    stop: async () => {
      await loop.stop()
      await flush()
      await Promise.all(writing)
    },
  }
}
