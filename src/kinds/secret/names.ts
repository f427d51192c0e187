import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'StagelySecret',
  plural: 'stagelysecrets',
  singular: 'stagelysecret',
  shortNames: ['ssec'],
  description: 'One secret of a project. Its value is write-only.',
  selectableFields: ['spec.projectRef.name', 'spec.key', 'spec.scope', 'spec.type'],
  applyOrder: 3,
  rest: { word: 'secret', list: 'secrets', id: 'sec', in: 'project' },
  conditions: {
    Accepted: 'good',
    InSync: 'good',
    ScopeMatched: 'good',
    Fresh: 'good',
    Expiring: 'bad',
    Expired: 'bad',
    Renewed: 'good',
    RotationDue: 'bad',
  },
} as const satisfies KindNames
