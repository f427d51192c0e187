import { expect, it } from 'vitest'
import { anObservation } from '../../../test/support/builders.ts'
import type { Drift } from '../../../src/kinds/observation/schema.ts'
import { drifted } from './drift.ts'

const messageOf = (change: Partial<Drift['changes'][number]>): string => {
  const changes = [{ service: 'web', container: 'shop-web-1', what: 'Died' as const, ...change }]
  const drift: Drift = { state: 'Found', since: '2026-01-01T00:00:00Z', changes }
  return drifted('shop', anObservation({ drift })).message
}

it.each<[Partial<Drift['changes'][number]>, string]>([
  [{ exitCode: 3 }, 'died, exit code 3'],
  [
    { exitCode: 137, outOfMemory: 32 * 2 ** 20 },
    'died, exit code 137, out of memory with a limit of 32 MiB',
  ],
  [{ exitCode: 137, outOfMemory: 0 }, 'died, exit code 137, out of memory'],
  [{ what: 'Removed' }, 'was removed'],
])('drift of a container with %j is told', (change, said) => {
  expect(messageOf(change)).toBe(`healing: web (shop-web-1) ${said}`)
})
