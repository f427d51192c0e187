import type { Actor } from './actor.ts'
import type { WriteSession } from './write-session.ts'

/** What runs a write, and commits it. Implemented by the store, which stands above those who write so. */
export interface SessionWriter {
  writeWithSession<T>(actor: Actor, fn: (session: WriteSession) => Promise<T>): Promise<T>
}
