import { expect, test } from 'vitest'
import { createRetries, decideRetry } from './reconnect.ts'

const lost = { kind: 'lost', upMs: 5_000, spreadMs: 10_000 } as const

test('the first try after an established stream is spread evenly over what the server said', () => {
  expect(decideRetry(0, lost, () => 0)).toEqual({ delayMs: 0, attempt: 1 })
  expect(decideRetry(0, lost, () => 0.5)).toEqual({ delayMs: 5_000, attempt: 1 })
  expect(decideRetry(0, lost, () => 0.999)).toEqual({ delayMs: 9_990, attempt: 1 })
})

test('the slot that the server gave beats everything', () => {
  expect(decideRetry(7, { ...lost, afterMs: 1_234 }, () => 0.9)).toEqual({
    delayMs: 1_234,
    attempt: 0,
  })
})

test('a flapping stream backs off; a healthy minute forgets the past', () => {
  expect(decideRetry(4, lost, () => 0.5)).toEqual({ delayMs: 2_000, attempt: 5 })
  expect(decideRetry(4, { ...lost, upMs: 60_000 }, () => 0.5)).toEqual({
    delayMs: 5_000,
    attempt: 1,
  })
})

test('an unreachable controller is tried from 250 ms up to 30 s, with full jitter', () => {
  const most = [0, 1, 2, 3, 6, 7, 50].map(
    (n) => decideRetry(n, { kind: 'unreachable' }, () => 0.9999).delayMs,
  )
  expect(most).toEqual([249, 499, 999, 1_999, 15_998, 29_997, 29_997])
  expect(decideRetry(9, { kind: 'unreachable' }, () => 0).delayMs).toBe(0)
})

test('few agents, as the controller said last, do not stay away for half a minute', () => {
  const most = (spreadMs: number): number =>
    decideRetry(20, { kind: 'unreachable' }, () => 0.9999, spreadMs).delayMs
  expect(most(500)).toBe(4_999)
  expect(most(3_334)).toBe(6_667)
  expect(most(16_667)).toBe(29_997)
})

test('Retry-After is kept, with a little jitter; what is hopeless is tried slowly', () => {
  const refused = { kind: 'refused', retryAfterMs: 7_000 } as const
  expect(decideRetry(0, refused, () => 0.5).delayMs).toBe(7_500)
  expect(decideRetry(0, { kind: 'hopeless' }, () => 0.5).delayMs).toBe(90_000)
})

test('a stream whose place our own late attempt took is opened again soon, one that another agent took is not', () => {
  const replaced = { kind: 'hopeless', replaced: true } as const
  const retries = createRetries(() => 0.5)
  retries.after(lost, 0)
  retries.after({ kind: 'unreachable' }, 10_000)
  expect(retries.after(replaced, 30_000)).toBeLessThan(1_000)
  expect(retries.after(replaced, 100_000)).toBe(90_000)
  expect(createRetries(() => 0.5).after(replaced, 30_000)).toBe(90_000)
})

test('another agent that takes the place again and again is found out within a minute', () => {
  const replaced = { kind: 'hopeless', replaced: true } as const
  const retries = createRetries(() => 0.5)
  retries.after({ kind: 'unreachable' }, 0)
  expect(retries.after(replaced, 50_000)).toBeLessThan(1_000)
  expect(retries.after(replaced, 70_000)).toBe(90_000)
})

test('what the controller said of its crowd holds for the attempts after it', () => {
  const retries = createRetries(() => 0.9999)
  retries.after(lost, 0)
  for (let i = 0; i < 20; i++) retries.after({ kind: 'unreachable' }, i)
  expect(retries.after({ kind: 'unreachable' }, 30)).toBe(19_998)
})
