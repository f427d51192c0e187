// One action at a time for each Compose project: two `up` at once leave neither right.

export interface ProjectLocks {
  /** Runs `fn` when all earlier holders of the project are done. */
  run<T>(project: string, fn: () => Promise<T>): Promise<T>
}

export const createProjectLocks = (): ProjectLocks => {
  const tails = new Map<string, Promise<unknown>>()
  return {
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
