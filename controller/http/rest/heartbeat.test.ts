import { expect, it } from 'vitest'
import { withHeartbeat } from './heartbeat.ts'

it('gives a sign now and then, and none while what it tells is not fresh', async () => {
  let isFresh = false
  let asked = 0
  const texts = (async function* () {
    yield 'ready'
    await new Promise(() => undefined)
  })()
  const failed = (error: unknown): void => expect.unreachable(String(error))
  const beats = { failed, everyMs: 5, isFresh: () => Promise.resolve((asked++, isFresh)) }
  const reader = withHeartbeat(texts, beats).pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toBe('ready')
  const next = reader.read()
  let come = false
  void next.then(() => (come = true))
  await expect.poll(() => asked).toBeGreaterThan(3)
  expect(come).toBe(false)
  isFresh = true
  expect((await next).value).toBe(': alive\n\n')
})
