// One thing that a person does by a button: busy while it runs, a word when it is done, and the words of the
// controller when it is refused.
import { useState } from 'preact/hooks'
import { toast } from './announce.tsx'
import { detailOf, titleOf } from './problem.tsx'

export interface Action {
  readonly busy: boolean
  /** Returns true when it was done. `done` is shown then. */
  readonly run: (what: () => Promise<unknown>, done?: string) => Promise<boolean>
}

export const useAction = (): Action => {
  const [busy, setBusy] = useState(false)
  return {
    busy,
    run: async (what, done) => {
      setBusy(true)
      try {
        await what()
        if (done !== undefined) toast({ kind: 'ok', text: done })
        return true
      } catch (error) {
        toast({ kind: 'fail', text: `${titleOf(error)} ${detailOf(error)}` })
        return false
      } finally {
        setBusy(false)
      }
    },
  }
}

/** Why an object cannot be changed here: a folder or a cluster says what it is. */
export const whyNotOwned = (source: string): string | undefined =>
  source === 'api' ? undefined : `${source} says what this is: change it there.`
