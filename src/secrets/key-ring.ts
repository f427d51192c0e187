// The master keys of this controller: one wraps, and it and the previous ones open. While keys are
// moved from one to another both are needed; afterwards the previous ones may be taken away.
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import { wrapDamaged, wrapPrefix, type KeyProvider } from './key-provider.ts'

export interface Health {
  readonly ok: boolean
  readonly reason?: string
}

export interface KeyRing extends KeyProvider {
  /** The prefix of what is wrapped from now on: another key version gives another one. */
  currentPrefix(): Promise<string>
  /** Wraps and unwraps a probe; asked for often, it answers from memory for some seconds. */
  health(): Promise<Health>
}

/** A key service bills each call. */
const healthLifeMs = 10_000

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

export const createKeyRing = (
  current: KeyProvider,
  previous: readonly KeyProvider[],
  clock: Clock,
): KeyRing => {
  const all = [current, ...previous]
  let last: { until: number; health: Promise<Health> } | undefined
  return {
    name: current.name,
    keyId: current.keyId,
    wrap: (plaintext, context) => current.wrap(plaintext, context),
    unwrap: (wrapped, context) => {
      const holder = all.find((provider) => provider.opens(wrapped))
      return holder === undefined ? Promise.reject(wrapDamaged()) : holder.unwrap(wrapped, context)
    },
    opens: (wrapped) => all.some((provider) => provider.opens(wrapped)),
    currentPrefix: async () => wrapPrefix(await current.wrap(Buffer.from('probe'), 'prefix')),
    health: () => {
      if (last === undefined || last.until <= clock.now())
        last = { until: clock.now() + healthLifeMs, health: probe(current) }
      return last.health
    },
    close: () => {
      for (const provider of all) provider.close()
    },
  }
}
