import { age, condition, integer, ofProject, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { stageletSpec, stageletStatus } from './schema.ts'

export const stagelet = defineKind({
  names,
  spec: stageletSpec,
  status: stageletStatus,
  columns: [
    text(
      'In-Sync',
      condition('SecretsInSync', 'status'),
      'Does every container run exactly its secrets?',
    ),
    integer('Wanted', '.status.wantedRevision', 'Revision that should run.'),
    integer('Running', '.status.runningRevision', 'Revision that runs.'),
    text('Agent', '.spec.agentRef.name', 'Agent.'),
    text('Reason', condition('SecretsInSync', 'reason'), 'Why it is in sync or not.'),
    wide(text('Ready', condition('Ready', 'status'), 'Is it in sync, reachable and healthy?')),
    wide({ ...ofProject, description: 'Project whose secrets it gets.' }),
    wide(text('Environment', '.spec.environment', 'Environment of the project.')),
    wide(text('Rollout', '.status.lastRollout.result', 'How the last rollout went.')),
    wide(text('Ends', '.status.endsAt', 'When it is deleted.')),
    wide(text('Directory', '.spec.compose.directory', 'Folder of the compose file.')),
    age,
  ],
})
