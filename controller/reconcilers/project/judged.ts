// Which secrets of a project have the status that they should have. One whose own object, whose consumers and
// whose stagelets are as they were is not judged again: a project may have thousands of secrets, and each
// write to one of them brings the project here.
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
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

interface Right {
  readonly consumers: readonly Consumer[]
  /** Right until then (ms). */
  readonly nextAt: number | undefined
}

export class Judged {
  #around: readonly unknown[] = []
  #right = new WeakMap<SecretObject, Right>()
  #nextAt: number | undefined

  /** When (ms) time alone makes the first of those that were judged another one. */
  get nextAt(): number | undefined {
    return this.#nextAt
  }

  /** Tells the new status of a secret of the project; undefined where it has it. */
  judgeOf(input: ProjectInput): (secret: SecretObject) => SecretStatus | undefined {
    // Of a set that is no longer kept it is not known what it holds.
    const policy = JSON.stringify(input.project.spec?.secretPolicy)
    const around = [policy, ...input.stagelets, ...input.runningSets.keys()]
    if (!sameItems(this.#around, around)) this.#right = new WeakMap()
    this.#around = around
    const consumers = consumersBySecret(input)
    const nowMs = Date.parse(input.now)
    this.#nextAt = undefined
    return (secret) => {
      const own =
        consumers.size === 0 ? nobody : (consumers.get(secret.metadata.uid ?? '') ?? nobody)
      const before = this.#right.get(secret)
      const isOver = before?.nextAt !== undefined && before.nextAt <= nowMs
      if (before !== undefined && !isOver && sameItems(before.consumers, own, sameConsumer)) {
        this.#nextAt = earliest(this.#nextAt, before.nextAt)
        return undefined
      }
      const { status, nextAt } = decideSecret(input, secret, own)
      this.#nextAt = earliest(this.#nextAt, nextAt)
      if (!sameJson(secret.status, status)) return status
      // Others decide with it whether one is current that refers to them.
      if (secret.spec.references !== true) this.#right.set(secret, { consumers: own, nextAt })
      return undefined
    }
  }
}
