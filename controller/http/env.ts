// What every handler finds in its context.
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { allows, type Principal } from '../../src/access/principal.ts'
import type { Actor } from '../../src/store/store.ts'
import type { BodyBudget } from './body-budget.ts'

export interface AppEnv {
  Bindings: HttpBindings
  Variables: {
    /** Who is logged in; set behind the login only. */
    user: Principal
    /** For streams: aborts when the login ends or may do something else. Followed until `until` aborts. */
    whileLoggedIn: (until: AbortSignal) => AbortSignal
    /** Ties answer, log lines and audit rows together. */
    requestId: string
    /** IP address of the client. */
    address: string
    /** What bodies in work take. */
    bodies: BodyBudget
  }
}

export type App = Hono<AppEnv>
export type AppContext = Context<AppEnv>

/** Who writes, for audit and ownership: all of the API is one source. */
export const actorOf = (c: AppContext): Actor => {
  const user = c.get('user')
  const { name, id } = user
  return {
    name,
    id,
    source: 'api',
    address: c.get('address'),
    requestId: c.get('requestId'),
    mayReadValues: (namespace) =>
      allows(user, { verb: 'get', resource: 'stagelysecrets/value', namespace }),
  }
}
