import { expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { isReturn, isTriedAgain } from './returns.ts'

const ready = (kind: string, status: string): KubeObject =>
  ({
    kind,
    metadata: { name: 'one', namespace: 'default' },
    status: { conditions: [{ type: 'Ready', status, reason: 'Test' }] },
  }) as unknown as KubeObject
const secret = (version?: number): KubeObject =>
  ({
    kind: 'StagelySecret',
    metadata: { name: 'one' },
    status: { version },
  }) as unknown as KubeObject

it.each([
  ['an agent that is ready again', ready('Agent', 'True'), ready('Agent', 'False'), true],
  ['a stack that is ready at last', ready('Stagelet', 'True'), ready('Stagelet', 'Unknown'), true],
  ['an agent that stays ready', ready('Agent', 'True'), ready('Agent', 'True'), false],
  ['an agent that goes', ready('Agent', 'False'), ready('Agent', 'True'), false],
  ['a secret with its first value', secret(1), secret(), true],
  ['a secret with another value', secret(2), secret(1), false],
  ['a project', ready('Project', 'True'), ready('Project', 'False'), false],
])('%s: is it back?', (_, object, previous, expected) => {
  expect(isReturn({ type: 'MODIFIED', object, previous })).toBe(expected)
  expect(isReturn({ type: 'DELETED', object, previous })).toBe(false)
})

it('an effect that failed is made again; a wait for the end of an overlap is no such', () => {
  expect(isTriedAgain({ tries: 1, retryAt: '2026-01-01T00:00:00Z' })).toBe(true)
  expect(isTriedAgain({ retryAt: '2026-01-01T00:00:00Z' })).toBe(false)
})
