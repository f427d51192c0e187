// Writes within a transaction that holds the counter row. What they have done so far is stored before each
// statement of others, which so sees it.
import { applyChanges } from './log/commit.ts'
import { readProjects } from './log/load.ts'
import type { Group } from './group.ts'
import { saveProjects } from './projects.ts'
import type { WriteSession } from './session.ts'
import type { Queryable } from './sql.ts'

export class LockedWrite {
  /** For statements of others. */
  readonly tx: Queryable
  readonly #raw: Queryable
  readonly #group: Group
  #session: WriteSession | undefined
  #leader: number | undefined
  /** The transaction has to be rolled back. */
  isTakenBack = false

  constructor(tx: Queryable, group: Group) {
    this.#raw = tx
    this.#group = group
    this.tx = {
      query: async (text, params) => {
        await this.#flush()
        return tx.query(text, params)
      },
      exec: async (text) => {
        await this.#flush()
        return tx.exec(text)
      },
    }
  }

  begin(session: WriteSession, leader: number | undefined): void {
    this.#session = session
    this.#leader = leader
  }

  /** What the write did to projects by statements of its own. */
  async reload(session: WriteSession): Promise<void> {
    if (session.reloaded.size === 0) return
    await this.#flush()
    const uids = [...session.reloaded]
    const rows = new Map((await readProjects(this.#raw, uids)).map((row) => [row.id, row]))
    for (const uid of uids) {
      const row = rows.get(uid)
      const known = session.view.projects.get(uid)
      const lines = known?.headMac === row?.headMac ? known?.lines : undefined
      session.view.projects.set(uid, row && { ...row, lines })
    }
  }

  takeBack(): void {
    this.isTakenBack = true
  }

  /** Stores the rest. */
  async end(): Promise<void> {
    const group = this.#group
    await applyChanges(this.#raw, group.payload(), group.leader)
    const state = group.lateState()
    if (state !== undefined)
      await this.#raw.query('UPDATE changes SET state = $1 WHERE rv = $2', [state, group.rv])
  }

  async #flush(): Promise<void> {
    const session = this.#session
    if (session === undefined) return
    saveProjects(session)
    const payload = this.#group.partOf(session)
    await applyChanges(this.#raw, payload, this.#leader)
  }
}
