import { expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createTestLimit } from './test-limit.ts'

it('a team sends ten test messages a minute, whatever others send', async () => {
  const clock = createFakeClock()
  const check = createTestLimit(clock)
  for (let i = 0; i < 10; i += 1) check('red')
  expect(() => check('red')).toThrow('try again in 60 s')
  expect(() => check('blue')).not.toThrow()
  await clock.advance(59_000)
  expect(() => check('red')).toThrow('try again in 1 s')
  await clock.advance(2_000)
  expect(() => check('red')).not.toThrow()
})
