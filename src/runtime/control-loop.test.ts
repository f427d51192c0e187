import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { StagelyError } from '../kernel/errors.ts'
import { silentLogger, type Logger } from '../kernel/log.ts'
import {
  done,
  noState,
  startControlLoop,
  stalled,
  waitFor,
  type ReconcileOutcome,
} from './control-loop.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const start = (answers: (ReconcileOutcome | Error)[], log: Logger = silentLogger) => {
  const clock = createFakeClock()
  const runs: string[] = []
  const outcomes: string[] = []
  const unknown: string[] = []
  const loop = startControlLoop(
    { clock, log, onRun: (_name, outcome) => outcomes.push(outcome) },
    {
      name: 'test',
      notKnown: (key) => {
        unknown.push(key)
        return Promise.resolve()
      },
      reconcile: (key) => {
        runs.push(key)
        const answer = answers.shift() ?? done
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      },
    },
  )
  return { clock, loop, runs, outcomes, unknown }
}

describe('startControlLoop', () => {
  it('runs a key once when it is done, and leaves a stalled one alone', async () => {
    const { loop, clock, runs } = start([done, stalled])
    loop.enqueue('a')
    loop.enqueue('b')
    await clock.advance(3_600_000)
    expect(runs).toEqual(['a', 'b'])
    await loop.stop()
  })

  it('looks again after the time that the reconciler asked for', async () => {
    const { loop, clock, runs } = start([waitFor(5000)])
    loop.enqueue('a')
    await clock.advance(4999)
    expect(runs).toHaveLength(1)
    await clock.advance(1)
    expect(runs).toHaveLength(2)
    await loop.stop()
  })

  it('retries what throws, and logs no Conflict', async () => {
    const errors: string[] = []
    const log = {
      ...silentLogger,
      child: () => log,
      error: (_: object, m: string) => errors.push(m),
    }
    const { loop, clock, runs, outcomes } = start(
      [new StagelyError('Conflict', 'stale'), new Error('boom')],
      log,
    )
    loop.enqueue('a')
    await clock.advance(1000)
    expect(runs).toHaveLength(3)
    expect(outcomes).toEqual(['conflict', 'error', 'done'])
    expect(errors).toEqual(['reconcile failed'])
    await loop.stop()
  })

  it('says that nothing is known of a key that fails again and again, and not of one that fails once', async () => {
    const once = start([new Error('boom')])
    once.loop.enqueue('a')
    await once.clock.advance(1_000)
    expect(once.unknown).toEqual([])
    const often = start(Array.from({ length: 6 }, () => new Error('boom')))
    often.loop.enqueue('a')
    await often.clock.advance(5_000)
    expect(often.runs).toHaveLength(7)
    expect(often.unknown).toEqual(['a', 'a'])
    await Promise.all([once.loop.stop(), often.loop.stop()])
  })

  it('waits for running work when stopped', async () => {
    const { loop, runs } = start([])
    loop.enqueue('a')
    await settle()
    await loop.stop()
    loop.enqueue('b')
    await settle()
    expect(runs).toEqual(['a'])
  })

  it('makes those that wait right together, and each alone where that fails', async () => {
    const clock = createFakeClock()
    const together: string[][] = []
    const alone: string[] = []
    const loop = startControlLoop(
      { clock, log: silentLogger, workers: 1 },
      {
        name: 'test',
        notKnown: noState,
        reconcile: (key) => {
          alone.push(key)
          return Promise.resolve(done)
        },
        reconcileAll: (keys) => {
          together.push([...keys])
          if (keys.includes('bad')) return Promise.reject(new Error('no'))
          return Promise.resolve(new Map(keys.map((key) => [key, done])))
        },
      },
    )
    // The first is taken at once; the others wait meanwhile.
    for (const key of ['a', 'b', 'c']) loop.enqueue(key)
    await settle()
    for (const key of ['d', 'bad', 'e']) loop.enqueue(key)
    await settle()
    expect(together).toEqual([
      ['a', 'b', 'c'],
      ['d', 'bad', 'e'],
    ])
    expect(alone).toEqual(['d', 'bad', 'e'])
    await loop.stop()
  })
})
