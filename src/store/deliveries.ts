// Opens sets for agents. Those who ask for the same set at about the same time share one read of it and
// one statement of audit rows: a change to thousands of stagelets is read a few times.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { isReason } from '../kernel/errors.ts'
import type { Delivery, OpenedEntry } from './store.ts'

/** Bounds one statement. */
const mostAtOnce = 256
/** What is answered is sealed and sent at once, and the rest of the process waits meanwhile. */
const answersBeforeYield = 20

interface Asked {
  readonly delivery: Delivery
  readonly resolve: (entries: OpenedEntry[]) => void
  readonly reject: (error: unknown) => void
}

export type OpenSets = (
  projectUid: string,
  revision: number,
  deliveries: readonly Delivery[],
) => Promise<OpenedEntry[][]>

export class Deliveries {
  readonly #openSets: OpenSets
  readonly #waiting = new Map<string, Asked[]>()

  constructor(openSets: OpenSets) {
    this.#openSets = openSets
  }

  open(projectUid: string, revision: number, delivery: Delivery): Promise<OpenedEntry[]> {
    const set = `${projectUid} ${revision}`
    return new Promise((resolve, reject) => {
      const asked = { delivery, resolve, reject }
      const waiting = this.#waiting.get(set)
      if (waiting !== undefined) {
        waiting.push(asked)
        return
      }
      const first = [asked]
      this.#waiting.set(set, first)
      void this.#serve(set, first, { projectUid, revision })
    })
  }

  async #serve(
    set: string,
    waiting: Asked[],
    of: { projectUid: string; revision: number },
  ): Promise<void> {
    do {
      // Who is about to ask, asks in this turn.
      await yieldToOthers()
      await this.#answer(of, waiting.splice(0, mostAtOnce))
    } while (waiting.length > 0)
    this.#waiting.delete(set)
  }

  async #answer(
    of: { projectUid: string; revision: number },
    asked: readonly Asked[],
  ): Promise<void> {
    const { projectUid, revision } = of
    let opened: OpenedEntry[][]
    try {
      opened = await this.#openSets(
        projectUid,
        revision,
        asked.map((one) => one.delivery),
      )
    } catch (error) {
      // What is wrong with the values of one is no matter of the others; a service that is away is.
      if (asked.length > 1 && !isReason(error, 'ServiceUnavailable'))
        for (const one of asked) await this.#answer(of, [one])
      else for (const one of asked) one.reject(error)
      return
    }
    for (const [i, one] of asked.entries()) {
      one.resolve(opened[i]!)
      if ((i + 1) % answersBeforeYield === 0) await yieldToOthers()
    }
  }
}
