import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { LogBatch } from '../../src/protocol/logs.ts'
import { RefusedByController } from '../link/controller-client.ts'
import { createLogSessions, type LogSessionsDeps } from './log-sessions.ts'

/** A session whose order is refused: it has one batch to send, at 0 ms. `fail` is what happens to a try after so many ms. */
const triesOf = async (fail: (ms: number) => Error | undefined) => {
  const tries: number[] = []
  const taken: LogBatch[] = []
  let ms = 0
  const ended = new Promise<void>((resolve) => {
    const clock = { now: () => ms, sleep: (more: number) => Promise.resolve(void (ms += more)) }
    const post = ({ body }: { body?: unknown }): Promise<unknown> => {
      tries.push(ms)
      const error = fail(ms)
      if (error !== undefined) return Promise.reject(error)
      taken.push(body as LogBatch)
      resolve()
      return Promise.resolve({ state: 'taken' })
    }
    const log = { ...silentLogger, warn: () => resolve() }
    const deps = { clock, log, client: { post }, sourceOf: () => undefined }
    const sessions = createLogSessions(deps as unknown as LogSessionsDeps)
    sessions.start({ type: 'logs', session: 's', stageletUid: 'u', follow: true })
  })
  await ended
  return { tries, taken }
}

const away = new StagelyError('ServiceUnavailable', 'away')

describe('a batch of log lines', () => {
  it('is sent when controllers are there again, while the reader still waits', async () => {
    const { taken, tries } = await triesOf((ms) => (ms < 40_000 ? away : undefined))
    expect(taken).toHaveLength(1)
    expect(tries.at(-1)).toBe(40_000)
  })

  it('is given up when the reader was told that the agent is silent', async () => {
    const refused = new RefusedByController(503, { reason: 'ServiceUnavailable', message: 'away' })
    const { taken, tries } = await triesOf(() => refused)
    expect(taken).toEqual([])
    expect(tries.at(-1)).toBe(45_000)
  })

  it('is given up within seconds where nobody reads any more', async () => {
    const { tries } = await triesOf(
      () => new RefusedByController(404, { reason: 'NotFound', message: '' }),
    )
    expect(tries).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500])
  })
})
