import type { KindNames } from '../../resources/kind-names.ts'

export const names = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  description: 'A team: the border that access and names end at.',
  applyOrder: 0,
  conditions: { ManifestsApplied: 'good', ClusterFollowed: 'good' },
} as const satisfies KindNames
