import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'AccessPolicy',
  plural: 'accesspolicies',
  singular: 'accesspolicy',
  shortNames: ['apol'],
  description: 'Says who reads values of projects only by a request that others approve.',
  applyOrder: 2,
  rest: { word: 'policy', list: 'policies', id: 'pol' },
  conditions: { EmergencyNotified: 'good', Usable: 'good' },
} as const satisfies KindNames
