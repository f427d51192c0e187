import { expect, test } from 'vitest'
import { protocolFault } from './version.ts'

test('versions one minor apart work together; others name what to update', () => {
  for (const [a, b] of [
    ['1.0', '1.0'],
    ['1.0', '1.1'],
    ['1.5', '1.4'],
  ] as const) {
    expect(protocolFault(a, b)).toBeUndefined()
  }
  expect(protocolFault('1.0', '1.2')).toMatch(/update the controller/)
  expect(protocolFault('1.3', '1.1')).toMatch(/update the agent/)
  expect(protocolFault('1.9', '2.0')).toMatch(/update the controller/)
  expect(protocolFault('2.0', '1.9')).toMatch(/update the agent/)
  expect(protocolFault('1.0', 'nonsense')).toMatch(/update the agent/)
})
