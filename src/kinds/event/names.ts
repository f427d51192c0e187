import type { KindNames } from '../../resources/kind-names.ts'

export const names = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  description: 'Something that happened to an object; kept for an hour.',
  applyOrder: 9,
} as const satisfies KindNames
