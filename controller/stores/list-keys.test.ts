import { expect, it } from 'vitest'
import { isReason } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createBudgets } from './budgets.ts'
import type { ProviderOpener } from './connection.ts'
import { keyLister } from './list-keys.ts'

const of = (kind: string, spec: object, status: object): KubeObject =>
  ({ kind, metadata: { namespace: 'default', name: 'one', uid: 'u1' }, spec, status }) as never
const vault = of(
  'SecretStore',
  {
    auth: { secretRef: { name: 'token' } },
    allow: { projects: ['shop'], remote: ['prod/*'] },
    refresh: { maxCallsPerMinute: 10 },
  },
  {},
)
const token = of('StagelySecret', { audience: 'Controller' }, { version: 1 })
const alice: Actor = { name: 'alice', source: 'api', authority: 'whole' }

/** A store whose listing takes so many calls. */
const lister = (calls: number) => {
  const clock = createFakeClock()
  const readers: Actor[] = []
  const at: number[] = []
  const store = {
    get: () => Promise.resolve(token),
    revealSecret: (actor: Actor) => {
      readers.push(actor)
      return Promise.resolve({ value: Buffer.from('a-token') })
    },
  } as unknown as Store
  const open: ProviderOpener = ({ spend }) =>
    Promise.resolve({
      list: async (_: string, signal: AbortSignal) => {
        for (let i = 0; i < calls; i += 1) {
          await spend(signal)
          at.push(clock.now())
        }
        return { keys: ['prod/a', 'dev/a'], isCut: false }
      },
      close: () => Promise.resolve(),
    } as never)
  const budgets = createBudgets(clock)
  const list = keyLister({ store, open, budgets })
  const ask = () => list(vault, { prefix: '', actor: alice }, new AbortController().signal)
  return { clock, readers, at, budgets, ask }
}

it('a listing spends of the budget of its store, and the audit names who asked', async () => {
  const { clock, readers, at, budgets, ask } = lister(12)
  const looks = budgets.take('u1')
  for (let i = 0; i < 4; i += 1) await looks.budget.spend(new AbortController().signal)
  const listing = ask()
  await clock.advance(59_000)
  // Ten a minute, with those of the looks.
  expect(at).toHaveLength(6)
  await clock.advance(120_000)
  expect(await listing).toEqual({ keys: ['prod/a'], isCut: false })
  expect(at).toHaveLength(12)
  expect(readers).toEqual([alice])
})

it('one listing of a store goes at a time', async () => {
  const { clock, ask } = lister(12)
  const first = ask()
  const second: unknown = await ask().catch((error: unknown) => error)
  expect(isReason(second, 'TooManyRequests')).toBe(true)
  await clock.advance(180_000)
  await first
  const third = ask()
  await clock.advance(180_000)
  expect((await third).keys).toEqual(['prod/a'])
})
