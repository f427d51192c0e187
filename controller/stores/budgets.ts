// The budget of each store (by uid), shared by all in this process who call it: its looks, and listings that people ask for.
import type { Clock } from '../../src/kernel/clock.ts'
import { after } from '../../src/kernel/async/pause.ts'
import { Budget } from './budget.ts'

export const defaultCalls = 60
/** Calls count so long. */
const keepMs = 60_000

export interface Budgets {
  /** To be released when nothing is called any more: a minute later nothing is kept of it. */
  take(uid: string): { readonly budget: Budget; readonly release: () => void }
  readonly size: number
}

export const createBudgets = (clock: Clock): Budgets => {
  const kept = new Map<string, { readonly budget: Budget; users: number }>()
  const never = new AbortController().signal
  return {
    take: (uid) => {
      const entry = kept.get(uid) ?? { budget: new Budget(clock, defaultCalls), users: 0 }
      kept.set(uid, entry)
      entry.users += 1
      const release = (): void => {
        entry.users -= 1
        after(clock, keepMs, never, () => {
          if (entry.users === 0 && kept.get(uid) === entry) kept.delete(uid)
        })
      }
      return { budget: entry.budget, release }
    },
    get size() {
      return kept.size
    },
  }
}
