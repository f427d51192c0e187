import { expect, expectTypeOf, it } from 'vitest'
import type { CallerStore } from '../caller-store.ts'
import type { Store } from '../store.ts'
import { noRights, rightsOf, wholeRights, type Actor, type Rights } from './actor.ts'

it('asks an actor for its authority, and a login for each right', () => {
  expectTypeOf<{ name: string; source: string }>().not.toExtend<Actor>()
  expectTypeOf<Omit<Rights, 'narrowingIn'>>().not.toExtend<Rights>()
  expectTypeOf<Rights>().toExtend<Actor['authority']>()
})

it('gives routes no read of the store that nobody has narrowed', () => {
  expectTypeOf<Store>().toExtend<CallerStore>()
  expectTypeOf<CallerStore>().not.toHaveProperty('state')
  expectTypeOf<CallerStore>().not.toHaveProperty('changedVersions')
  expectTypeOf<CallerStore>().not.toHaveProperty('openSet')
})

it('lets the whole authority do all, and nobody nothing', () => {
  expect(rightsOf({ authority: 'whole' })).toBe(wholeRights)
  expect(rightsOf({ authority: noRights })).toBe(noRights)
  const answers = ({ narrowingIn, ...rights }: Rights): unknown[] => [
    ...Object.values(rights).map((may: (...names: string[]) => boolean) => may('shop', 'live')),
    narrowingIn('shop'),
  ]
  expect(answers(wholeRights)).toEqual([true, true, true, undefined])
  expect(answers(noRights)).toEqual([false, false, false, { projects: [] }])
})
