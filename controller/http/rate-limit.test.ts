import { expect, it } from 'vitest'
import { createLimits } from './rate-limit.ts'

const limits = createLimits({ rateLimit: 1, kubeRateLimit: 1, failureLimit: 1 })

it('counts each caller and each API by itself, and says when to come again', async () => {
  for (let i = 0; i < 10; i++) await limits.kubeLimit.take('a')
  await expect(limits.kubeLimit.take('a')).rejects.toMatchObject({
    reason: 'TooManyRequests',
    details: { retryAfterSeconds: expect.any(Number) as number },
  })
  await limits.kubeLimit.take('b')
  await limits.limit.take('a')
})

it('keeps an address out only once it has failed too often', async () => {
  for (let i = 0; i < 10; i++) {
    await limits.failureLimit.check('192.0.2.1')
    await limits.failureLimit.count('192.0.2.1')
  }
  await expect(limits.failureLimit.check('192.0.2.1')).rejects.toThrow('that open nothing')
  await limits.failureLimit.check('192.0.2.2')
})

it('of 0 is none', async () => {
  const free = createLimits({ rateLimit: 0, kubeRateLimit: 0, failureLimit: 0 })
  for (let i = 0; i < 100; i++) {
    await free.kubeLimit.take('a')
    await free.failureLimit.count('192.0.2.1')
    await free.failureLimit.check('192.0.2.1')
  }
})
