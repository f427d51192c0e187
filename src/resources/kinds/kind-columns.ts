// The printer columns of each kind.
import { age, condition, type PrinterColumn } from '../columns.ts'

export const projectColumns: readonly PrinterColumn[] = [
  {
    name: 'Revision',
    type: 'integer',
    jsonPath: '.status.revision',
    description: 'Newest closed revision.',
  },
  {
    name: 'Secrets',
    type: 'integer',
    jsonPath: '.status.secrets',
    description: 'Secrets in the newest set.',
  },
  {
    name: 'Stagelets',
    type: 'integer',
    jsonPath: '.status.stagelets.total',
    description: 'Stagelets of the project.',
  },
  {
    name: 'In-Sync',
    type: 'integer',
    jsonPath: '.status.stagelets.inSync',
    description: 'Stagelets that are in sync.',
  },
  {
    name: 'Rollout',
    type: 'string',
    jsonPath: '.status.rollout.state',
    description: 'Where the rollout of the newest revision stands.',
    priority: 1,
  },
  age,
]

export const agentColumns: readonly PrinterColumn[] = [
  {
    name: 'Ready',
    type: 'string',
    jsonPath: condition('Ready', 'status'),
    description: 'Is it connected?',
  },
  {
    name: 'Version',
    type: 'string',
    jsonPath: '.status.version',
    description: 'Stagely version.',
  },
  {
    name: 'Engine',
    type: 'string',
    jsonPath: '.status.engineVersion',
    description: 'Docker Engine.',
    priority: 1,
  },
  {
    name: 'Compose',
    type: 'string',
    jsonPath: '.status.composeVersion',
    description: 'Docker Compose.',
    priority: 1,
  },
  {
    name: 'Since',
    type: 'date',
    jsonPath: condition('Ready', 'lastTransitionTime'),
    description: 'For how long it has been connected, or away.',
    priority: 1,
  },
  age,
]

export const secretColumns: readonly PrinterColumn[] = [
  {
    name: 'Project',
    type: 'string',
    jsonPath: '.spec.projectRef.name',
    description: 'Project.',
  },
  { name: 'Key', type: 'string', jsonPath: '.spec.key', description: 'Variable name.' },
  {
    name: 'Scope',
    type: 'string',
    jsonPath: '.spec.scope',
    description: 'global or a service.',
  },
  {
    name: 'Version',
    type: 'integer',
    jsonPath: '.status.version',
    description: 'Version of the value.',
  },
  {
    name: 'In-Sync',
    type: 'string',
    jsonPath: condition('InSync', 'status'),
    description: 'Does every container that sees it run this version?',
  },
  {
    name: 'Type',
    type: 'string',
    jsonPath: '.spec.type',
    description: 'env or file.',
    priority: 1,
  },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: condition('InSync', 'reason'),
    description: 'Why.',
    priority: 1,
  },
  {
    name: 'Expires',
    type: 'string',
    jsonPath: '.status.expiresAt',
    description: 'When the value ends.',
    priority: 1,
  },
  {
    name: 'Due',
    type: 'string',
    jsonPath: '.status.rotationDueAt',
    description: 'When the value is older than the policy of the project allows.',
    priority: 1,
  },
  age,
]

export const notifierColumns: readonly PrinterColumn[] = [
  {
    name: 'Delivering',
    type: 'string',
    jsonPath: condition('Delivering', 'status'),
    description: 'Is what it has to tell taken?',
  },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: condition('Delivering', 'reason'),
    description: 'Why.',
  },
  {
    name: 'Last',
    type: 'date',
    jsonPath: '.status.lastDeliveredAt',
    description: 'When a notice was taken last.',
  },
  age,
]

export const rotationColumns: readonly PrinterColumn[] = [
  {
    name: 'Project',
    type: 'string',
    jsonPath: '.spec.projectRef.name',
    description: 'Project.',
  },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: condition('Ready', 'status'),
    description: 'Is the credential in use one that it made?',
  },
  {
    name: 'Phase',
    type: 'string',
    jsonPath: '.status.phase',
    description: 'Where the rotation stands; Idle between two.',
  },
  {
    name: 'Last',
    type: 'date',
    jsonPath: '.status.lastRotatedAt',
    description: 'When a rotation was completed last.',
  },
  {
    name: 'Next',
    type: 'string',
    jsonPath: '.status.nextAt',
    description: 'When the next rotation starts.',
  },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: condition('Progressing', 'reason'),
    description: 'Why.',
    priority: 1,
  },
  {
    name: 'Slot',
    type: 'string',
    jsonPath: '.status.slot',
    description: 'The slot whose credential is in use.',
    priority: 1,
  },
  age,
]

export const stageletColumns: readonly PrinterColumn[] = [
  {
    name: 'In-Sync',
    type: 'string',
    jsonPath: condition('SecretsInSync', 'status'),
    description: 'Does every container run exactly its secrets?',
  },
  {
    name: 'Wanted',
    type: 'integer',
    jsonPath: '.status.wantedRevision',
    description: 'Revision that should run.',
  },
  {
    name: 'Running',
    type: 'integer',
    jsonPath: '.status.runningRevision',
    description: 'Revision that runs.',
  },
  { name: 'Agent', type: 'string', jsonPath: '.spec.agentRef.name', description: 'Agent.' },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: condition('SecretsInSync', 'reason'),
    description: 'Why it is in sync or not.',
  },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: condition('Ready', 'status'),
    description: 'Is it in sync, reachable and healthy?',
    priority: 1,
  },
  {
    name: 'Project',
    type: 'string',
    jsonPath: '.spec.projectRef.name',
    description: 'Project whose secrets it gets.',
    priority: 1,
  },
  {
    name: 'Rollout',
    type: 'string',
    jsonPath: '.status.lastRollout.result',
    description: 'How the last rollout went.',
    priority: 1,
  },
  {
    name: 'Directory',
    type: 'string',
    jsonPath: '.spec.compose.directory',
    description: 'Folder of the compose file.',
    priority: 1,
  },
  age,
]
