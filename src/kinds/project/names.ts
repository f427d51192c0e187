import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'Project',
  plural: 'projects',
  singular: 'project',
  shortNames: ['proj'],
  description: 'A set of secrets and the stacks that get them.',
  applyOrder: 1,
  rest: { word: 'project', list: 'projects', id: 'proj' },
  form: true,
  conditions: {
    Ready: 'good',
    Progressing: 'neutral',
    Degraded: 'bad',
    Separated: 'good',
    KeyRotationDue: 'bad',
    GlassBroken: 'bad',
  },
} as const satisfies KindNames
