import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { KeyProvider } from './key-provider.ts'
import { createKeyRing } from './key-ring.ts'
import { createLocalKeyProvider } from './providers/local.ts'

describe('a key service that was down', () => {
  it.each([
    ['refused at once', () => Promise.reject(new Error('connection refused'))],
    ['said nothing', () => new Promise<string>(() => undefined)],
  ])('is asked again although it %s and writers never stop asking', async (_, wrap) => {
    const clock = createFakeClock()
    const local = createLocalKeyProvider(Buffer.alloc(32))
    let down = true
    const provider: KeyProvider = {
      ...local,
      wrap: (plaintext, context) => (down ? wrap() : local.wrap(plaintext, context)),
    }
    const ring = createKeyRing(provider, [], clock)
    const ask = async (): Promise<boolean> => {
      const asked = ring.confirm().then(
        () => true,
        () => false,
      )
      await clock.advance(100)
      return Promise.race([asked, Promise.resolve(false)])
    }
    for (let i = 0; i < 60; i++) expect(await ask()).toBe(false)
    down = false
    const answers: boolean[] = []
    for (let i = 0; i < 60; i++) answers.push(await ask())
    expect(answers.at(-1)).toBe(true)
  })
})
