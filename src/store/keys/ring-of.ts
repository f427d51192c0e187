// The ring that wraps with the key of a name, or a clear refusal.
import { StagelyError } from '../../kernel/errors.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'

/** Of a project that is there. ServiceUnavailable where this controller does not have its key. */
export const ringOf = (provider: KeyRing, name: string | undefined, what: string): KeyRing => {
  const ring = provider.of(name)
  if (ring !== undefined) return ring
  throw new StagelyError(
    'ServiceUnavailable',
    `the key "${name ?? ''}" of ${what} is not configured here: name it in STAGELY_KEY_PROVIDERS_FILE of every controller`,
    { retryAfterSeconds: 60 },
  )
}
