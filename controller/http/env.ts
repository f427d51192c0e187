// What every handler finds in its context.
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { Actor } from '../../src/store/store.ts'

export interface User {
  readonly name: string
  readonly role: string
}

export interface AppEnv {
  Bindings: HttpBindings
  Variables: { user: User }
}

export type App = Hono<AppEnv>
export type AppContext = Context<AppEnv>

/** Who writes, for audit and ownership: all of the API is one source. */
export const actorOf = (c: AppContext): Actor => ({ name: c.get('user').name, source: 'api' })
