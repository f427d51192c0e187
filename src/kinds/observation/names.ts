import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'Observation',
  plural: 'observations',
  singular: 'observation',
  shortNames: [],
  categories: [],
  description: 'Last report of an agent on one stagelet.',
  internal: true,
  applyOrder: 9,
} as const satisfies KindNames
