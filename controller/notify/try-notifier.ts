// A message by which a person sees whether a Notifier arrives. Nothing has happened, and the outbox knows nothing of it.
import { randomUUID } from 'node:crypto'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { deliver, type Attempt, type DeliverDeps } from './deliver.ts'

/** `by` is named in the message. */
export type TestNotifier = (
  notifier: KubeObject,
  by: string,
  signal: AbortSignal,
) => Promise<Attempt>

export const notifierTester =
  (deps: DeliverDeps & { readonly checkLimit: (team: string) => void }): TestNotifier =>
  async (notifier, by, signal) => {
    const { namespace: team, name } = refOf(notifier)
    deps.checkLimit(team)
    const message = `${by} tests this notifier: nothing has happened`
    const at = toTimestamp(deps.now())
    const notice = { reason: 'Test', kind: 'Notifier', team, name, message, at } as const
    return deliver(deps, notifier, { id: randomUUID(), notices: [notice], count: 1 }, signal)
  }
