import { expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createLimits } from './rate-limit.ts'

const clock = createFakeClock()
const limits = createLimits(
  { rateLimit: 1, kubeRateLimit: 1, loginLimit: 2, failureLimit: 1 },
  clock,
)

it('counts each caller and each API by itself, and says when to come again', async () => {
  for (let i = 0; i < 10; i++) await limits.kubeLimit.take('a')
  await expect(limits.kubeLimit.take('a')).rejects.toMatchObject({
    reason: 'TooManyRequests',
    details: { retryAfterSeconds: expect.any(Number) as number },
  })
  await limits.kubeLimit.take('b')
  await limits.limit.take('a')
})

it('puts off a person whose requests make much work, over both APIs, and no other', async () => {
  const { work } = limits.limit
  for (let i = 0; i < 9; i++) work.charge('ann', 4 * 2 ** 20)
  expect(() => limits.kubeLimit.work.check('ann')).toThrow('for one person; try again in 1 s')
  expect(() => work.check('bob')).not.toThrow()
  await clock.advance(1_000)
  expect(() => work.check('ann')).not.toThrow()
})

it('keeps an address out only once it has failed too often', async () => {
  for (let i = 0; i < 10; i++) {
    await limits.failureLimit.check('192.0.2.1')
    await limits.failureLimit.count('192.0.2.1')
  }
  await expect(limits.failureLimit.check('192.0.2.1')).rejects.toThrow('that open nothing')
  await limits.failureLimit.check('192.0.2.2')
})

it('counts all addresses of a /64 of IPv6 as one', async () => {
  for (let i = 0; i < 10; i++) await limits.failureLimit.count(`2001:db8:0:1::${i}`)
  await expect(limits.failureLimit.check('2001:db8:0:1:a:b:c:d')).rejects.toThrow('open nothing')
  await limits.failureLimit.check('2001:db8:0:2::1')
  const fails = (i: number): Promise<never> =>
    limits.loginLimit.attempt(`2001:db8:0:1::${i}`, () => Promise.reject(new Error('wrong')))
  for (let i = 0; i < 2; i++) await expect(fails(i)).rejects.toThrow('wrong')
  await expect(fails(3)).rejects.toThrow('more than 2 times')
})

it('counts logins that fail, and only those', async () => {
  const { loginLimit } = limits
  const fails = (): Promise<never> => Promise.reject(new Error('wrong'))
  const succeeds = (): Promise<string> => Promise.resolve('in')
  for (let i = 0; i < 5; i++) expect(await loginLimit.attempt('192.0.2.3', succeeds)).toBe('in')
  for (let i = 0; i < 2; i++)
    await expect(loginLimit.attempt('192.0.2.3', fails)).rejects.toThrow('wrong')
  await expect(loginLimit.attempt('192.0.2.3', succeeds)).rejects.toThrow('more than 2 times')
  expect(await loginLimit.attempt('192.0.2.4', succeeds)).toBe('in')
})

it('lets a person read one value at a time, and 30 a minute', async () => {
  const { revealLimit } = limits
  let end = (): void => undefined
  const first = revealLimit.run('ann', () => new Promise<void>((resolve) => (end = resolve)))
  await expect(revealLimit.run('ann', () => Promise.resolve())).rejects.toThrow('at a time')
  end()
  await first
  for (let i = 1; i < 30; i++) await revealLimit.run('ann', () => Promise.resolve())
  await expect(revealLimit.run('ann', () => Promise.resolve())).rejects.toThrow('30 values')
  await revealLimit.run('bob', () => Promise.resolve())
})

it('of 0 is none', async () => {
  const none = { rateLimit: 0, kubeRateLimit: 0, loginLimit: 0, failureLimit: 0 }
  const free = createLimits(none, clock)
  for (let i = 0; i < 100; i++) {
    await free.kubeLimit.take('a')
    free.kubeLimit.work.charge('a', 2 ** 30)
    free.kubeLimit.work.check('a')
    await free.failureLimit.count('192.0.2.1')
    await free.failureLimit.check('192.0.2.1')
    await free.loginLimit.attempt('192.0.2.1', () => Promise.resolve())
  }
})
