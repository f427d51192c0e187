// Locks of Compose projects. One action at a time for each project, as two `up` at once spoil each other. And one owner,
// also among the agents of a machine: two stagelets on one project would undo each other's work again and again.

type Claim = 'mine' | 'of another stagelet' | 'of another agent'

export interface ProjectLocks {
  /** `mine` when `owner` has the project, from now on or already. */
  claim(project: string, owner: string): Promise<Claim>
  /** Releases all projects of `owner`. */
  release(owner: string): void
  /** True while the project has an owner. */
  isBusy(project: string): boolean
  /** Runs `fn` when all earlier calls for the project are done. */
  run<T>(project: string, fn: () => Promise<T>): Promise<T>
}

/** Takes a project for this process, and returns its release; undefined when another process has it. */
type HoldProject = (project: string) => Promise<(() => unknown) | undefined>

interface Owner {
  readonly owner: string
  readonly holding: ReturnType<HoldProject>
  letGo: (() => unknown) | undefined
}

export const createProjectLocks = (hold: HoldProject): ProjectLocks => {
  const tails = new Map<string, Promise<unknown>>()
  const owners = new Map<string, Owner>()
  const release = (owner: string): void => {
    for (const [project, held] of owners) {
      if (held.owner !== owner) continue
      owners.delete(project)
      held.letGo?.()
    }
  }
  const take = (project: string, owner: string): Owner => {
    release(owner) // a stagelet runs one project: a new name gives up the old one
    const taken: Owner = { owner, holding: hold(project), letGo: undefined }
    owners.set(project, taken)
    return taken
  }
  return {
    claim: async (project, owner) => {
      const held = owners.get(project)
      if (held !== undefined && held.owner !== owner) return 'of another stagelet'
      const taken = held ?? take(project, owner)
      try {
        taken.letGo = await taken.holding
        return taken.letGo === undefined ? 'of another agent' : 'mine'
      } finally {
        // The owner has released it meanwhile.
        if (owners.get(project) !== taken) taken.letGo?.()
        else if (taken.letGo === undefined) owners.delete(project)
      }
    },
    release,
    isBusy: (project) => tails.has(project),
    run: (project, fn) => {
      const next = (tails.get(project) ?? Promise.resolve()).then(fn)
      const leave = (): void => {
        if (tails.get(project) === tail) tails.delete(project)
      }
      const tail: Promise<unknown> = next.then(leave, leave)
      tails.set(project, tail)
      return next
    },
  }
}
