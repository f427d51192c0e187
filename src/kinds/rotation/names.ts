import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'Rotation',
  plural: 'rotations',
  singular: 'rotation',
  shortNames: ['rot'],
  description: 'Changes a credential at its time, and ends the old one when nothing runs with it.',
  selectableFields: ['spec.projectRef.name'],
  applyOrder: 5,
  rest: { word: 'rotation', list: 'rotations', id: 'rot', in: 'project' },
  form: true,
  conditions: {
    Ready: 'good',
    Progressing: 'neutral',
    Blocked: 'bad',
    Failed: 'bad',
    Overdue: 'bad',
    Tested: 'good',
    Accepted: 'good',
  },
} as const satisfies KindNames
