// The master keys of this controller: the current one wraps; the current and the previous ones unwrap.
// Both are needed while stored keys are re-wrapped; then the previous ones may be removed.
import type { Clock } from '../kernel/clock.ts'
import { messageOf, StagelyError } from '../kernel/errors.ts'
import { within } from '../kernel/async/pause.ts'
import { wrapDamaged, wrapPrefix, type KeyProvider } from './key-provider.ts'

export interface Health {
  readonly ok: boolean
  readonly reason?: string
}

/** A key that projects may name in `spec.keyProvider`, in place of the master key. */
export interface ProjectKey {
  readonly name: string
  readonly provider: KeyProvider
  /** The teams that may name it; undefined: all. */
  readonly teams: readonly string[] | undefined
}

export interface KeyRing extends KeyProvider {
  /**
   * The ring for projects that name this key; this ring when `name` is undefined. undefined for a name
   * that is not configured.
   */
  ringOf(name: string | undefined): KeyRing | undefined
  /** The keys that a project may name, sorted by name. */
  readonly projectKeys: readonly ProjectKey[]
  /** The prefix of texts that are wrapped from now on; it changes with the key version. */
  currentPrefix(): Promise<string>
  /** Wraps and unwraps a probe. The result is cached for ten seconds. */
  health(): Promise<Health>
  /**
   * Called before a value is sealed. ServiceUnavailable while the key that wraps does not answer: if it
   * is lost for good, a value that is sealed now could never be opened again. The result is cached for
   * two seconds.
   */
  confirm(): Promise<void>
  /** Whether the result that is cached is good. */
  readonly isConfirmed: boolean
}

/** A key service charges for each call. */
const healthLifeMs = 10_000
const confirmLifeMs = 2_000

const probe = async (provider: KeyProvider): Promise<Health> => {
  try {
    const bytes = Buffer.from('probe')
    const back = await provider.unwrap(await provider.wrap(bytes, 'health'), 'health')
    if (back.equals(bytes)) return { ok: true }
    return { ok: false, reason: `key provider ${provider.name}: a probe came back changed` }
  } catch (error) {
    return { ok: false, reason: messageOf(error) }
  }
}

interface Asked {
  readonly askedAt: number
  readonly health: Promise<Health>
  answered?: Health
}

export const createKeyRing = (
  current: KeyProvider,
  previous: readonly KeyProvider[],
  clock: Clock,
  projectKeys: readonly ProjectKey[] = [],
): KeyRing => {
  const rings = new Map(
    projectKeys.map(({ name, provider }) => [name, createKeyRing(provider, [], clock)]),
  )
  const all = [current, ...previous, ...rings.values()]
  let last: Asked | undefined
  const healthWithin = (lifeMs: number): Promise<Health> => {
    const now = clock.now()
    if (last === undefined || last.askedAt + lifeMs <= now) {
      const asked: Asked = {
        askedAt: now,
        health: probe(current).then((health) => (asked.answered = health)),
      }
      last = asked
    }
    return last.health
  }
  const silent = `key provider ${current.name} (key ${current.keyId}): it did not answer within ${confirmLifeMs / 1000} s; look at its health and at the network`
  const withinSilence = (health: Promise<Health>): Promise<Health> =>
    within(clock, confirmLifeMs, health, () => {
      const silence = { ok: false, reason: silent }
      // Other callers need not wait for the same time-out.
      last = { askedAt: clock.now(), health: Promise.resolve(silence) }
      return silence
    })
  const ring: KeyRing = {
    name: current.name,
    keyId: current.keyId,
    ringOf: (name) => (name === undefined ? ring : rings.get(name)),
    projectKeys: [...projectKeys].sort((a, b) => (a.name < b.name ? -1 : 1)),
    wrap: (plaintext, context) => current.wrap(plaintext, context),
    unwrap: (wrapped, context) => {
      const holder = all.find((provider) => provider.opens(wrapped))
      return holder === undefined ? Promise.reject(wrapDamaged()) : holder.unwrap(wrapped, context)
    },
    opens: (wrapped) => all.some((provider) => provider.opens(wrapped)),
    currentPrefix: async () => wrapPrefix(await current.wrap(Buffer.from('probe'), 'prefix')),
    health: () => healthWithin(healthLifeMs),
    get isConfirmed() {
      return last?.answered?.ok === true && last.askedAt + confirmLifeMs > clock.now()
    },
    confirm: async () => {
      const health = healthWithin(confirmLifeMs)
      const { ok, reason = '' } = last?.answered ?? (await withinSilence(health))
      if (ok) return
      const message = `${reason}. Nothing was stored: values can be written again when it answers; reading and deploying go on`
      throw new StagelyError('ServiceUnavailable', message, { retryAfterSeconds: 5 })
    },
    close: () => {
      for (const provider of all) provider.close()
    },
  }
  return ring
}
