// An action that a person starts by a button: busy while it runs, a message when it is done, and the controller's
// words when it is refused.
import { useState } from 'preact/hooks'
import type { ApiAction } from '../actions/copy-as.ts'
import { sendRequest } from '../api/client.ts'
import { toast } from './announce.tsx'
import { confirmed } from './dialogs/confirm-login.tsx'
import { wasDone } from './copy-as.tsx'
import { detailOf, titleOf } from './problem.tsx'

/** Sends the request, after a confirmed login where the controller wants one. "Copy as" offers the action then. */
export const perform = async <T>(action: ApiAction<T>): Promise<T> => {
  const answer = await confirmed(() => sendRequest(action.request))
  wasDone(action)
  return answer
}

/** A message, or what is done with the answer. */
export type OnDone<T> = string | ((answer: T) => void)

export const useAction = () => {
  const [busy, setBusy] = useState(false)
  /** Returns true when it was done. A refusal is shown as a message. */
  const run = async <T>(action: ApiAction<T>, onDone?: OnDone<T>): Promise<boolean> => {
    setBusy(true)
    try {
      const answer = await perform(action)
      if (typeof onDone === 'string') toast({ kind: 'ok', text: onDone })
      else onDone?.(answer)
      return true
    } catch (error) {
      toast({ kind: 'fail', text: `${titleOf(error)} ${detailOf(error)}` })
      return false
    } finally {
      setBusy(false)
    }
  }
  return { busy, run }
}

/** Why an object cannot be changed here: a folder or a cluster says what it is. */
export const whyNotOwned = (source: string): string | undefined =>
  source === 'api' ? undefined : `Managed by ${source}: change it there.`
