import { expect, test } from 'vitest'
import { decideRetry } from './reconnect.ts'

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

test('Retry-After is kept, with a little jitter; what is hopeless is tried slowly', () => {
  const refused = { kind: 'refused', retryAfterMs: 7_000 } as const
  expect(decideRetry(0, refused, () => 0.5).delayMs).toBe(7_500)
  expect(decideRetry(0, { kind: 'hopeless' }, () => 0.5).delayMs).toBe(90_000)
})
