// One action at a time for each Compose project: two `up` at once leave neither right. And one owner:
// two stagelets on one project would undo each other's work for ever.

export interface ProjectLocks {
  /** True when `owner` holds the project, from now or already; false when another one does. */
  claim(project: string, owner: string): boolean
  /** Lets go of whatever `owner` holds. */
  release(owner: string): void
  /** Somebody holds it. */
  isBusy(project: string): boolean
  /** Runs `fn` when all earlier holders of the project are done. */
  run<T>(project: string, fn: () => Promise<T>): Promise<T>
}

export const createProjectLocks = (): ProjectLocks => {
  const tails = new Map<string, Promise<unknown>>()
  const owners = new Map<string, string>()
  const release = (owner: string): void => {
    for (const [project, by] of owners) if (by === owner) owners.delete(project)
  }
  return {
    claim: (project, owner) => {
      const by = owners.get(project)
      if (by !== undefined) return by === owner
      release(owner) // a stagelet runs one project: a new name gives up the old one
      owners.set(project, owner)
      return true
    },
    release,
    isBusy: (project) => tails.has(project),
    run: (project, fn) => {
      const next = (tails.get(project) ?? Promise.resolve()).then(fn)
      const tail = next.catch(() => undefined)
      tails.set(project, tail)
      void tail.then(() => {
        if (tails.get(project) === tail) tails.delete(project)
      })
      return next
    },
  }
}
