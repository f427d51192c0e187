import { afterEach, expect, it, vi } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { ClusterClient } from './cluster-client.ts'
import { followCollection } from './follow.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const gone = (): StagelyError => new StagelyError('Expired', 'too old resource version: 10 (99)')
const away = (): StagelyError => new StagelyError('ServiceUnavailable', 'connect ECONNREFUSED')

/** Follows until what each watch ends with is used up; the pauses between, as long as they may be. */
const pausesAfter = async (ends: StagelyError[]): Promise<{ pauses: number[]; lists: number }> => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999)
  const stop = new AbortController()
  const pauses: number[] = []
  let lists = 0
  const client = {
    get: () => {
      lists++
      return Promise.resolve({ metadata: { resourceVersion: '10' }, items: [] })
    },
    watch: () => {
      const end = ends.shift()
      if (end !== undefined) return Promise.reject(end)
      stop.abort()
      return Promise.resolve()
    },
  } as unknown as ClusterClient
  await followCollection({
    client,
    path: '/apis/stagely.dev/v1alpha1/projects',
    log: silentLogger,
    signal: stop.signal,
    onList: () => Promise.resolve(),
    onChange: () => undefined,
    pause: (ms) => Promise.resolve(pauses.push(ms)),
  })
  return { pauses: pauses.slice(0, -1), lists }
}

it('lists at once where a server is back, however long it was away, and has forgotten (410)', async () => {
  const { pauses, lists } = await pausesAfter([...Array.from({ length: 7 }, away), gone()])
  expect(lists).toBe(2)
  expect(pauses.at(-2)).toBeGreaterThan(20_000)
  expect(pauses.at(-1)).toBeLessThan(200)
})

it('pauses longer and longer where even what was just listed is too old', async () => {
  const { pauses } = await pausesAfter(Array.from({ length: 7 }, gone))
  expect(pauses.at(-1)).toBeGreaterThan(10_000)
})

it.each([
  ['NotFound', /CRDs/],
  ['Forbidden', /rbac\.yaml/],
] as const)('says what to do about %s', async (reason, remedy) => {
  const stop = new AbortController()
  const told: object[] = []
  const log = { ...silentLogger, warn: (fields: object) => void told.push(fields) }
  await followCollection({
    client: {
      get: () => Promise.reject(new StagelyError(reason, 'no')),
    } as unknown as ClusterClient,
    path: '/apis/stagely.dev/v1alpha1/projects',
    log,
    signal: stop.signal,
    onList: () => Promise.resolve(),
    onChange: () => undefined,
    pause: () => {
      if (told.length > 0) stop.abort()
      return Promise.resolve()
    },
  })
  expect(told).toEqual([
    expect.objectContaining({ remedy: expect.stringMatching(remedy) as string }),
  ])
})
