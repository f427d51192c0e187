import { expect, it } from 'vitest'
import { known, loading } from '../../live/known.ts'
import { behindText, declaredRevision, hiddenKeys } from './declared.ts'

it('names one declared revision, and the other one that the agent is told', () => {
  const service = { name: 'web', revision: 13 }
  expect(behindText(service, 15, 15)).toBe('web runs r13, and r15 is declared.')
  expect(behindText(service, 15, 14)).toBe(
    'web runs r13, and r15 is declared; its agent is told r14.',
  )
})

it('takes what is declared from the project, and not from what the agent is told', () => {
  const stagelet = { team: 'ops', project: 'shop', wanted_revision: 14 }
  const project = { team: 'ops', name: 'shop', revision: 15 }
  const ofOthers = { ...project, team: 'dev', revision: 20 }
  expect(declaredRevision(stagelet, known([ofOthers, project]))).toEqual(known(15))
  expect(declaredRevision(stagelet, known([ofOthers]))).toEqual(known(14))
  expect(declaredRevision(stagelet, loading)).toEqual(loading)
})

it('finds the keys that a secret hides in a file', () => {
  const services = [
    { name: 'web', keys: ['A', 'B'], compose_keys: ['B', 'C'] },
    { name: 'db', keys: ['A'], compose_keys: ['C'] },
    { name: 'queue' },
  ]
  expect(hiddenKeys({ services })).toEqual([{ service: 'web', keys: ['B'] }])
})
