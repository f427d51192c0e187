import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'Agent',
  plural: 'agents',
  singular: 'agent',
  shortNames: ['agt'],
  description: 'A machine that runs stacks.',
  applyOrder: 2,
  rest: { word: 'agent', list: 'agents', id: 'agt' },
  conditions: { Ready: 'good', Refused: 'bad' },
} as const satisfies KindNames
