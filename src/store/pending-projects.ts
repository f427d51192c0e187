// Projects whose rows lag behind within one transaction. A MAC is over the whole set, so a crowd of
// writes to one project makes it once, at the end, and not once for each.
import { saveProject, type ProjectState } from './projects.ts'
import type { WriteSession } from './session.ts'

type Saving = Pick<WriteSession, 'tx' | 'deps'>

export class PendingProjects {
  readonly #states = new Map<string, ProjectState>()
  readonly #unsaved = new Set<string>()

  get(place: string): ProjectState | undefined {
    return this.#states.get(place)
  }

  /** The write is done: each project counts as it left it, also one that it only closed. */
  keep({ loaded, destroyed, rekeyed }: WriteSession): void {
    for (const place of destroyed) {
      this.#states.delete(place)
      this.#unsaved.delete(place)
    }
    for (const [place, state] of loaded) {
      this.#states.set(place, state)
      if (state.changed) this.#unsaved.add(place)
      else this.#unsaved.delete(place)
    }
    // Else a write right after a rotation would seal with the key of before.
    for (const state of this.#states.values()) if (rekeyed.has(state.uid)) state.dataKey = undefined
  }

  /** The write is taken back, and with it each row that was saved during it. */
  revert(): void {
    for (const place of this.#states.keys()) this.#unsaved.add(place)
  }

  /** Brings the rows up to date, so that statements may read them. */
  async save(saving: Saving): Promise<void> {
    for (const place of this.#unsaved) {
      const state = this.#states.get(place)
      if (state !== undefined) await saveProject(saving, state)
    }
    this.#unsaved.clear()
  }
}

/** Brings the rows of `projects` up to date with all that was written so far. */
export const saveChanged = async (session: WriteSession): Promise<void> => {
  await session.pending.save(session)
  for (const project of session.projects.values())
    if (project.changed) await saveProject(session, project)
}
