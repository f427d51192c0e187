// Which secrets of a project have the status that they should have. One whose own object, whose consumers and
// whose stagelets are as they were is not judged again, and not even looked into: a project may have thousands of
// secrets, and each write to one of them brings the project here.
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import type { ListedObject } from '../../../src/store/store.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
import { consumersBySecret, decideSecret, type Consumer } from './decide.ts'
import { isToRenew } from './expiry.ts'
import type { ProjectAround, SecretObject, StageletObject } from './gather.ts'

/** A secret as the store lists it: parsed when it is looked into. */
export type ListedSecret = Pick<ListedObject, 'uid' | 'rv'> & { readonly object: SecretObject }

/** What a secret is judged by of all stagelets, and not only of its consumers. */
const keyOfStagelet = ({ metadata, status }: StageletObject): string =>
  JSON.stringify([metadata.name, status?.services?.map(({ name }) => name), status?.unmountedFiles])

/** One text for each consumer, made once. */
const createKeys = (): ((one: Consumer) => string) => {
  const known = new WeakMap<Consumer['service'], string>()
  return ({ stagelet, service }) => {
    const key = known.get(service) ?? JSON.stringify([stagelet.metadata.name, service])
    known.set(service, key)
    return key
  }
}

const nobody: readonly Consumer[] = []
const noKeys: readonly string[] = []

const sameItems = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i])

interface Right {
  /** Of the secret. */
  readonly rv: number
  readonly consumers: readonly string[]
  /** Right until then (ms). */
  readonly nextAt: number | undefined
}

export class Judged {
  #around = ''
  #right = new Map<string, Right>()
  #nextAt: number | undefined

  /** When (ms) time alone makes the first of those that were judged another one. */
  get nextAt(): number | undefined {
    return this.#nextAt
  }

  /** True where nothing follows of the secret, as long as all stays as it is. */
  isRight({ uid }: ListedSecret): boolean {
    return this.#right.has(uid)
  }

  /** Tells the new status of a secret of the project; undefined where it has it. */
  judgeOf(input: ProjectAround): (secret: ListedSecret) => SecretStatus | undefined {
    const around = JSON.stringify([
      input.project.spec?.secretPolicy,
      // Of a set that is no longer kept it is not known what it holds.
      [...input.runningSets.keys()],
      input.stagelets.map(keyOfStagelet),
    ])
    const before = around === this.#around ? this.#right : new Map<string, Right>()
    const right = new Map<string, Right>()
    this.#around = around
    this.#right = right
    const consumers = consumersBySecret(input)
    const keyOf = createKeys()
    const nowMs = Date.parse(input.now)
    this.#nextAt = undefined
    return (secret) => {
      const { uid, rv } = secret
      const own = consumers.get(uid) ?? nobody
      const keys = own.length === 0 ? noKeys : own.map(keyOf)
      const known = before.get(uid)
      const isOver = known?.nextAt !== undefined && known.nextAt <= nowMs
      if (known?.rv === rv && !isOver && sameItems(known.consumers, keys)) {
        right.set(uid, known)
        this.#nextAt = earliest(this.#nextAt, known.nextAt)
        return undefined
      }
      const { object } = secret
      const { status, nextAt } = decideSecret(input, object, own)
      this.#nextAt = earliest(this.#nextAt, nextAt)
      if (!sameJson(object.status, status)) return status
      // Others decide with it whether one is current that refers to them; and what has ended is renewed until it is.
      if (object.spec.references !== true && !isToRenew(object, nowMs))
        right.set(uid, { rv, consumers: keys, nextAt })
      return undefined
    }
  }
}
