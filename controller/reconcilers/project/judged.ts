// Which secrets of a project have the status that they should have. One whose own object, whose consumers and
// whose stagelets are as they were is not judged again: a project may have thousands of secrets, and each
// write to one of them brings the project here.
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import { consumersBySecret, decideSecret, type Consumer } from './decide.ts'
import type { ProjectInput, SecretObject } from './gather.ts'

const nobody: readonly Consumer[] = []

const sameItems = <T>(
  a: readonly T[],
  b: readonly T[],
  same: (one: T, other: T) => boolean = Object.is,
): boolean => a.length === b.length && a.every((one, i) => same(one, b[i]!))

/** Objects of the store are never changed in place. */
const sameConsumer = (one: Consumer, other: Consumer): boolean =>
  one.stagelet === other.stagelet && one.service === other.service

export class Judged {
  #around: readonly unknown[] = []
  #right = new WeakMap<SecretObject, readonly Consumer[]>()

  /** Tells the new status of a secret of the project; undefined where it has it. */
  judgeOf(input: ProjectInput): (secret: SecretObject) => SecretStatus | undefined {
    // Of a set that is no longer kept it is not known what it holds.
    const around = [...input.stagelets, ...input.runningSets.keys()]
    if (!sameItems(this.#around, around)) this.#right = new WeakMap()
    this.#around = around
    const consumers = consumersBySecret(input)
    return (secret) => {
      const own = consumers.get(secret.metadata.uid ?? '') ?? nobody
      const before = this.#right.get(secret)
      if (before !== undefined && sameItems(before, own, sameConsumer)) return undefined
      const status = decideSecret(input, secret, own)
      if (!sameJson(secret.status, status)) return status
      // Others decide with it whether one is current that refers to them.
      if (secret.spec.references !== true) this.#right.set(secret, own)
      return undefined
    }
  }
}
