import { expect, it } from 'vitest'
import type { ObservedContainer } from './observe.ts'
import { startOrder } from './start-stopped.ts'

const aContainer = (service: string, ...dependsOn: string[]): ObservedContainer =>
  ({ service, dependsOn }) as Partial<ObservedContainer> as ObservedContainer

const orderOf = (...containers: ObservedContainer[]): string =>
  startOrder(containers)
    .map((c) => c.service)
    .join()

it('starts dependencies first, and what depends on what runs already at once', () => {
  expect(
    orderOf(aContainer('web', 'api'), aContainer('api', 'db', 'queue'), aContainer('db')),
  ).toBe('db,api,web')
})

it('starts a circle as it comes', () => {
  expect(orderOf(aContainer('a', 'b'), aContainer('b', 'a'))).toBe('a,b')
})
