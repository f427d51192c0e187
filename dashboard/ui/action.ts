// One thing that a person does by a button: busy while it runs, a word when it is done, and the words of the
// controller when it is refused.
import { useState } from 'preact/hooks'
import type { Doing } from '../copy-as/doing.ts'
import { toast } from './announce.tsx'
import { wasDone } from './copy-as.tsx'
import { detailOf, titleOf } from './problem.tsx'

export interface Action {
  readonly busy: boolean
  /** Returns true when it was done. `done` is shown then, and "copy as" offers `doing`. */
  readonly run: (what: () => Promise<unknown>, done?: string, doing?: Doing) => Promise<boolean>
}

export const useAction = (): Action => {
  const [busy, setBusy] = useState(false)
  return {
    busy,
    run: async (what, done, doing) => {
      setBusy(true)
      try {
        await what()
        if (done !== undefined) toast({ kind: 'ok', text: done })
        if (doing !== undefined) wasDone(doing)
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
