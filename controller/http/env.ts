// The values that every handler finds in its context.
import { defined } from '../../src/kernel/defined.ts'
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import {
  allows,
  mayChangeProtected,
  narrowingOf,
  type Principal,
} from '../../src/access/principal.ts'
import { keptFor } from '../../src/kernel/kept-for.ts'
import type { Rights } from '../../src/store/core/actor.ts'
import { callerStore, type CallerStore } from '../../src/store/caller-store.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import type { BodyBudget } from './body-budget.ts'
import type { SlowReaders } from './slow-readers.ts'
import type { WorkBudget } from './work-budget.ts'

export interface AppEnv {
  Bindings: HttpBindings
  Variables: {
    /** Who is logged in; set on routes with a login only. */
    user: Principal
    /** For streams: aborts when the login ends or its rights change. Watched until `until` aborts. */
    whileLoggedIn: (until: AbortSignal) => AbortSignal
    /** The same id in the answer, log lines and audit rows. */
    requestId: string
    /** IP address of the client. */
    address: string
    /** The budget of request bodies. */
    bodies: BodyBudget
    /** What this API lets a person's requests cost. */
    work: WorkBudget
    /** Streams whose client does not read. */
    slowReaders: SlowReaders
    /** Values of `Warning` headers of the answer. */
    warned: Set<string>
  }
}

export type App = Hono<AppEnv>
export type AppContext = Context<AppEnv>

/** What the store lets the caller do. The principal of a login stays the same for some seconds. */
export const rightsFor = (user: Principal): Rights => keptFor(rights, user, makeRights)

const rights = new WeakMap<Principal, Rights>()

const makeRights = (user: Principal): Rights => ({
  narrowingIn: narrowingOf(user),
  mayReadLogs: (namespace) => allows(user, { verb: 'get', resource: 'stagelets/logs', namespace }),
  mayReadValues: (namespace) =>
    allows(user, { verb: 'get', resource: 'stagelysecrets/value', namespace }),
  mayChangeProtected: (namespace, environment) => mayChangeProtected(user, namespace, environment),
})

/** The store as the caller may read it. */
export const storeOf = (c: AppContext, store: Store): CallerStore =>
  callerStore(store, rightsFor(c.get('user')))

/** The writer, for audit and ownership. Both APIs are one source. */
export const actorOf = (c: AppContext, user = c.get('user')): Actor => {
  const { name, id, kind, countedAs } = user
  return {
    name,
    id,
    kind,
    ...defined({ countedAs }),
    source: 'api',
    address: c.get('address'),
    requestId: c.get('requestId'),
    authority: rightsFor(user),
    hasGone: () => c.env.outgoing.destroyed && !c.env.outgoing.writableEnded,
  }
}
