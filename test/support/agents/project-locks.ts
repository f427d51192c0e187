import { createProjectLocks, type ProjectLocks } from '../../../agent/borders/project-locks.ts'

/** As of an agent that is alone on its machine: a test may run several, one after another. */
export const lonelyLocks = (): ProjectLocks =>
  createProjectLocks(() => Promise.resolve(() => undefined))
