// Remembers for which secrets of a project the status is decided and stored. A secret is decided again only where its object,
// its consumers or its stagelets have changed: a project may have thousands of secrets, and each write to one of them starts
// a run for all.
import { emptyLayout, layoutText } from '../../../src/secrets/layout.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import type { ListedObject } from '../../../src/store/store.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
import { consumersBySecret, decideSecret, type SecretConsumer } from './decide.ts'
import { isToRenew } from './expiry.ts'
import type { ProjectFacts, SecretObject, StageletObject } from './gather.ts'

/** A secret as the store lists it: its object is parsed when it is read. */
export type ListedSecret = Pick<ListedObject, 'uid' | 'rv'> & { readonly object: SecretObject }

const stageletKeys = new WeakMap<StageletObject, string>()

/** The fields of a stagelet that decide about all secrets, and not only about those that it sees. */
const keyOfStagelet = (stagelet: StageletObject): string => {
  const { metadata, status } = stagelet
  const cachedKey = stageletKeys.get(stagelet)
  if (cachedKey !== undefined) return cachedKey
  const names = status?.services?.map(({ name }) => name)
  const key = JSON.stringify([metadata.name, names, status?.unmountedFiles])
  stageletKeys.set(stagelet, key)
  return key
}

const serviceKeys = new WeakMap<SecretConsumer['service'], { stagelet: string; key: string }>()

/** A service that has not changed is the same object, and has the same key. */
const keyOf = ({ stagelet: { metadata }, service }: SecretConsumer): string => {
  const cachedKey = serviceKeys.get(service)
  if (cachedKey?.stagelet === metadata.name) return cachedKey.key
  const key = JSON.stringify([metadata.name, service])
  serviceKeys.set(service, { stagelet: metadata.name, key })
  return key
}

const noConsumers: readonly SecretConsumer[] = []
const noKeys: readonly string[] = []

const sameItems = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

interface Stored {
  /** Version of the secret whose status was decided. */
  readonly rv: number
  readonly consumers: readonly string[]
  /** From this time on (ms) the status must be decided again. */
  readonly nextAt: number | undefined
}

export class DecidedSecrets {
  /** The facts about the project that all decisions depend on. */
  #facts = ''
  #stored = new Map<string, Stored>()
  #nextAt: number | undefined

  /** When (ms) the first status changes by time alone. */
  get nextAt(): number | undefined {
    return this.#nextAt
  }

  /** True where the status of the secret is stored, and nothing else follows from it. */
  isStored({ uid }: ListedSecret): boolean {
    return this.#stored.has(uid)
  }

  /** Returns a function that decides the new status of a secret; undefined where the secret has it already. */
  decider(input: ProjectFacts): (secret: ListedSecret) => SecretStatus | undefined {
    const facts = JSON.stringify([
      input.project.spec?.secretPolicy,
      // The content of a set that is no longer kept is unknown.
      [...input.runningSets.keys()],
      input.stagelets.map(keyOfStagelet),
      layoutText(input.head.layout ?? emptyLayout),
    ])
    const before = facts === this.#facts ? this.#stored : new Map<string, Stored>()
    const stored = new Map<string, Stored>()
    this.#facts = facts
    this.#stored = stored
    const consumers = consumersBySecret(input)
    const nowMs = Date.parse(input.now)
    this.#nextAt = undefined
    return (secret) => {
      const { uid, rv } = secret
      const own = consumers.get(uid) ?? noConsumers
      const keys = own.length === 0 ? noKeys : own.map(keyOf)
      const previous = before.get(uid)
      const isOver = previous?.nextAt !== undefined && previous.nextAt <= nowMs
      if (previous?.rv === rv && !isOver && sameItems(previous.consumers, keys)) {
        stored.set(uid, previous)
        this.#nextAt = earliest(this.#nextAt, previous.nextAt)
        return undefined
      }
      const { object } = secret
      const { status, nextAt } = decideSecret(input, object, own)
      this.#nextAt = earliest(this.#nextAt, nextAt)
      if (!sameJson(object.status, status)) return status
      // A secret that refers to others depends on them too, and an ended value is renewed in each run until that succeeds.
      if (object.spec.references !== true && !isToRenew(object, nowMs))
        stored.set(uid, { rv, consumers: keys, nextAt })
      return undefined
    }
  }
}
