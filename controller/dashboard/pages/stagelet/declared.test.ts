import { expect, it } from 'vitest'
import { behindText, hiddenKeys } from './declared.ts'

it('names one declared revision, and the other one that the agent is told', () => {
  const service = { name: 'web', revision: 13 }
  expect(behindText(service, 15, 15)).toBe('web runs r13, and r15 is declared.')
  expect(behindText(service, 15, 14)).toBe(
    'web runs r13, and r15 is declared; its agent is told r14.',
  )
})

it('finds the keys that a secret hides in a file', () => {
  const services = [
    { name: 'web', keys: ['A', 'B'], compose_keys: ['B', 'C'] },
    { name: 'db', keys: ['A'], compose_keys: ['C'] },
    { name: 'queue' },
  ]
  expect(hiddenKeys({ services })).toEqual([{ service: 'web', keys: ['B'] }])
})
