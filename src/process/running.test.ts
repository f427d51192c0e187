import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { execProgram } from './exec.ts'
import { isRunning } from './running.ts'

it('a process is found by words of its arguments while it runs, and only by whole ones in their order', async () => {
  const word = randomUUID()
  const stays = execProgram({
    file: '/bin/sh',
    args: ['-c', 'sleep 1; :', 'sh', '-p', word, 'up'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 10_000,
  })
  await expect.poll(() => isRunning(['-p', word]), { timeout: 2_000 }).toBe(true)
  expect(await isRunning([word, 'up'])).toBe(true)
  expect(await isRunning([word, '-p'])).toBe(false)
  expect(await isRunning(['-p', word.slice(0, -1)])).toBe(false)
  await stays
  expect(await isRunning(['-p', word])).toBe(false)
})
