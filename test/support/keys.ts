// Master keys of tests.
import { createKeyRing, type KeyRing } from '../../src/secrets/key-ring.ts'
import { createLocalKeyProvider } from '../../src/secrets/providers/local.ts'
import { realClock, type Clock } from '../../src/kernel/clock.ts'

export const localKeyRing = (
  masterKey: Buffer,
  { previous = [], clock = realClock }: { previous?: readonly Buffer[]; clock?: Clock } = {},
): KeyRing => createKeyRing(createLocalKeyProvider(masterKey, { previous }), [], clock)
