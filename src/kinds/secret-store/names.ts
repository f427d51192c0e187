import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'SecretStore',
  plural: 'secretstores',
  singular: 'secretstore',
  shortNames: ['store'],
  description: 'A store of secrets elsewhere, which the controller reads from.',
  applyOrder: 2,
  rest: { word: 'store', list: 'stores', id: 'sto' },
  form: true,
  conditions: {
    Ready: 'good',
    Fresh: 'good',
    Throttled: 'bad',
    Braked: 'bad',
    Listening: 'good',
  },
} as const satisfies KindNames
