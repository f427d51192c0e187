import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { execProgram } from './exec.ts'
import { findRunning } from './running.ts'

it('a process is found by words of its arguments while it runs, and only by whole ones in their order', async () => {
  const word = randomUUID()
  const startedAt = performance.now()
  const stays = execProgram({
    file: '/bin/sh',
    args: ['-c', 'sleep 60; :', 'sh', '-p', word, 'up'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 60_000,
  })
  const find = async (...words: string[]): Promise<number> => (await findRunning(words)).length
  await expect.poll(() => find('-p', word)).toBe(1)
  expect(await find(word, 'up')).toBe(1)
  // Told in hundredths of a second.
  const [{ pid, ageMs } = { pid: NaN, ageMs: NaN }] = await findRunning([word])
  expect(ageMs).toBeGreaterThan(-20)
  expect(ageMs).toBeLessThan(performance.now() - startedAt + 20)
  expect(await find(word, '-p')).toBe(0)
  expect(await find('-p', word.slice(0, -1))).toBe(0)
  process.kill(-pid, 'SIGKILL')
  await stays
  expect(await find('-p', word)).toBe(0)
})
