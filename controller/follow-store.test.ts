import { describe, expect, it } from 'vitest'
import { StagelyError } from '../src/kernel/errors.ts'
import { silentLogger, type Logger } from '../src/kernel/log.ts'
import type { ChangeEvent } from '../src/store/store.ts'
import { createFakeClock } from '../test/support/fake-clock.ts'
import { followStore } from './follow-store.ts'

const change = (resourceVersion: number): ChangeEvent => ({
  type: 'MODIFIED',
  object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `n${resourceVersion}` } },
  resourceVersion,
  previous: undefined,
  text: '',
})

/** A store whose feed gives these, one after the other: a batch of changes, a fault, or the end. */
const storeOf = (
  seen: string[],
  ...feeds: (number[] | Error)[][]
): Parameters<typeof followStore>[0]['store'] => {
  let version = 0
  return {
    currentVersion: () => Promise.resolve((version += 10)),
    watch: async function* (after, signal) {
      seen.push(`watch ${after}`)
      for (const step of feeds.shift() ?? []) {
        if (step instanceof Error) throw step
        yield step.map(change)
      }
      if (feeds.length === 0)
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
    },
  }
}

const follow = async (
  ...feeds: (number[] | Error)[][]
): Promise<{ seen: string[]; warnings: number }> => {
  const seen: string[] = []
  let warnings = 0
  const warn = (): void => {
    warnings += 1
  }
  const log: Logger = { ...silentLogger, warn }
  const clock = createFakeClock()
  const ending = new AbortController()
  const following = followStore({ store: storeOf(seen, ...feeds), clock, log }, ending.signal, {
    readAll: (version) => {
      seen.push(`look ${version}`)
      return Promise.resolve()
    },
    onChanges: (changes) => {
      const versions = changes.map((one) => one.resourceVersion)
      seen.push(`changes ${versions.join()}`)
      if (versions.includes(13)) throw new Error('a follower that fails')
    },
  })
  await clock.advance(20_000)
  ending.abort()
  await following
  return { seen, warnings }
}

describe('following the store', () => {
  it('looks at everything, then takes each change since the version before the look', async () => {
    const { seen, warnings } = await follow([[11, 12], [14]])
    expect(seen).toEqual(['look 10', 'watch 10', 'changes 11,12', 'changes 14'])
    expect(warnings).toBe(0)
  })

  it.each([
    ['breaks', new Error('gone'), 1],
    ['is too old', new StagelyError('Expired', 'too old'), 0],
    ['is aborted by somebody else', new DOMException('too late', 'TimeoutError'), 1],
  ])('looks at everything again where the feed %s', async (_what, fault, warned) => {
    const { seen, warnings } = await follow([[11], fault], [[21]])
    expect(seen).toEqual([
      ...['look 10', 'watch 10', 'changes 11'],
      ...['look 20', 'watch 20', 'changes 21'],
    ])
    expect(warnings).toBe(warned)
  })

  it('looks at everything again where the follower fails, or the feed just ends', async () => {
    const failed = await follow([[13], [14]], [])
    expect(failed.seen).toEqual(['look 10', 'watch 10', 'changes 13', 'look 20', 'watch 20'])
    const ended = await follow([], [])
    expect(ended.seen).toEqual(['look 10', 'watch 10', 'look 20', 'watch 20'])
  })

  it('ends without a word when it is told to', async () => {
    const { warnings } = await follow([])
    expect(warnings).toBe(0)
  })
})
