import { expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { no } from '../reconcilers/verdict.ts'
import { writeOutcomes, type OutcomeWriteDeps } from './write-outcomes.ts'

const outcomes = Array.from({ length: 5_000 }, () => ({
  secret: { known: {} },
  fresh: no('Test', 'test'),
})) as never[]
const of = { uid: 'u1', ref: { kind: 'SecretStore', namespace: 'default', name: 'one' } } as never

/** How many writes are begun, where the controller stops in one of them. */
const writesUntilStop = async (
  stopsIn: number,
  answer: () => Promise<unknown>,
): Promise<number> => {
  const stopping = new AbortController()
  let writes = 0
  const write = (): Promise<unknown> => {
    writes += 1
    if (writes === stopsIn) stopping.abort()
    return answer()
  }
  const store = { write } as unknown as OutcomeWriteDeps['store']
  const deps = { store, clock: createFakeClock(), signal: stopping.signal }
  await expect(writeOutcomes(deps, of, outcomes)).rejects.toThrow('aborted')
  return writes
}

it('a controller that stops ends the writes of a look after the one that runs', async () => {
  expect(await writesUntilStop(2, () => Promise.resolve([]))).toBe(2)
})

it.each(['ServiceUnavailable', 'TooManyRequests'] as const)(
  'nor does it go on one by one where a project does not take its values (%s)',
  async (reason) => {
    const refused = new StagelyError(reason, 'not now')
    let calls = 0
    const answer = (): Promise<unknown> =>
      ++calls % 2 === 1 ? Promise.reject(refused) : Promise.resolve([])
    expect(await writesUntilStop(6, answer)).toBe(6)
  },
)
