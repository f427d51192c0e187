import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'Stagelet',
  plural: 'stagelets',
  singular: 'stagelet',
  shortNames: ['stg'],
  description: 'One deployed environment: one Compose project on one machine.',
  selectableFields: ['spec.projectRef.name', 'spec.agentRef.name'],
  applyOrder: 4,
  rest: { word: 'stagelet', list: 'stagelets', id: 'stg' },
  form: true,
  conditions: {
    SecretsInSync: 'good',
    Ready: 'good',
    Progressing: 'neutral',
    Degraded: 'bad',
    Drifted: 'bad',
    Accepted: 'good',
    AgentReachable: 'good',
    ComposeFileChanged: 'bad',
    VariableMissing: 'bad',
    FileNotMounted: 'bad',
    Ending: 'bad',
    ReportCut: 'bad',
  },
} as const satisfies KindNames
