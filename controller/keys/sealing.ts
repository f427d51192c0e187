// The controller's sealing keys. People seal values for manifests with the newest public key. Old
// private keys are kept, so that sealed values in Git can always be opened. All keys are stored sealed
// in the database's settings.
import { createPrivateKey } from 'node:crypto'
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { repeatUntil } from '../../src/kernel/async/pause.ts'
import { generateKeys, rawPublicKey, type KeyPair } from '../../src/protocol/keys.ts'
import {
  keyIdOfSealed,
  openSealedValue,
  renderSealingKey,
  sealingKeyId,
} from '../../src/protocol/sealed-value.ts'
import type { SealedPlace, SealedValueOpener } from '../../src/secrets/sealed-place.ts'
import { sealingKeyPrefix, type Settings } from '../../src/store/settings.ts'
import type { Actor } from '../../src/store/store.ts'
import { controllerActor } from '../../src/store/core/actor.ts'

const refreshMs = 30_000

const settingOf = (number: number): string => `${sealingKeyPrefix}${number}`

const newKey = (): { id: string; bytes: Buffer } => {
  const { privateKey, publicKey } = generateKeys('X25519')
  const bytes = privateKey.export({ format: 'der', type: 'pkcs8' })
  return { id: sealingKeyId(publicKey), bytes }
}

interface SealingKeyInfo {
  readonly id: string
  readonly publicKey: string
}

export class SealingKeys implements SealedValueOpener {
  #settings: Settings | undefined
  #refreshing: Promise<void> = Promise.resolve()
  /** Oldest first; the key at index N is in setting N+1. */
  readonly #keys: KeyPair[] = []

  /** Creates the first key if there is none. Before this call nothing can be opened. */
  async load(settings: Settings): Promise<void> {
    this.#settings = settings
    await this.refresh()
    if (this.#keys.length > 0) return
    await this.#make(controllerActor, 'create')
  }

  get current(): SealingKeyInfo {
    const newest = this.#keys.at(-1)
    if (newest === undefined) throw new Error('the sealing keys are not loaded')
    return { id: sealingKeyId(newest.publicKey), publicKey: renderSealingKey(newest.publicKey) }
  }

  /** Creates a new sealing key. Of two controllers that rotate at once, both get the same key. */
  async rotate(actor: Actor): Promise<SealingKeyInfo> {
    await this.#make(actor, 'rotate')
    return this.current
  }

  async #make(actor: Actor, action: string): Promise<void> {
    const { id, bytes } = newKey()
    await this.#settings?.putSealedAudited(settingOf(this.#keys.length + 1), bytes, {
      actor,
      ref: { kind: 'SealingKey', namespace: '', name: id },
      entry: { action },
    })
    await this.refresh()
  }

  open(place: SealedPlace, sealedValue: string): Buffer | undefined {
    const id = keyIdOfSealed(sealedValue)
    const key = this.#keys.find(({ publicKey }) => sealingKeyId(publicKey) === id)
    return key === undefined ? undefined : openSealedValue(key, place, sealedValue)
  }

  /** Reads keys that another replica has created. */
  refresh(): Promise<void> {
    // One at a time: two concurrent reads would both add the same key.
    this.#refreshing = this.#refreshing.catch(() => undefined).then(() => this.#readNew())
    return this.#refreshing
  }

  /** Refreshes until `signal` aborts, so that this replica can use keys that another one has created. */
  watch(clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
    return repeatUntil(signal, clock, {
      everyMs: refreshMs,
      work: () => this.refresh(),
      onFault: (error) =>
        log.warn({ err: messageOf(error) }, 'the sealing keys could not be read again'),
    })
  }

  async #readNew(): Promise<void> {
    for (;;) {
      const bytes = await this.#settings?.getSealed(settingOf(this.#keys.length + 1))
      if (bytes === undefined) return
      const privateKey = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
      this.#keys.push({ privateKey, publicKey: rawPublicKey(privateKey) })
    }
  }
}
