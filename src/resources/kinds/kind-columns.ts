// The columns of each kind, for `kubectl get` and the command line. Pure.
import { bool, condition, date, integer, text, wide, type PrinterColumn } from '../columns.ts'

const age = date('Age', '.metadata.creationTimestamp', 'Time since creation.')
const project = text('Project', '.spec.projectRef.name', 'Project.')

export const kindColumns = {
  Namespace: [text('Status', '.status.phase', 'Active or Terminating.'), age],
  Project: [
    integer('Revision', '.status.revision', 'Newest closed revision.'),
    integer('Secrets', '.status.secrets', 'Secrets in the newest set.'),
    integer('Stagelets', '.status.stagelets.total', 'Stagelets of the project.'),
    integer('In-Sync', '.status.stagelets.inSync', 'Stagelets that are in sync.'),
    wide(text('Rollout', '.status.rollout.state', 'State of the rollout of the newest revision.')),
    age,
  ],
  Agent: [
    text('Ready', condition('Ready', 'status'), 'Is it connected?'),
    text('Version', '.status.version', 'Stagely version.'),
    wide(text('Engine', '.status.engineVersion', 'Docker Engine.')),
    wide(text('Compose', '.status.composeVersion', 'Docker Compose.')),
    wide(
      date(
        'Since',
        condition('Ready', 'lastTransitionTime'),
        'For how long it has been connected, or away.',
      ),
    ),
    wide(
      text(
        'Gone-After',
        '.spec.ephemeral.goneAfter',
        'How long it may be away, if it is ephemeral.',
      ),
    ),
    wide(bool('Drained', '.spec.drained', 'Nothing new is rolled out on the machine.')),
    age,
  ],
  StagelySecret: [
    project,
    text('Key', '.spec.key', 'Variable name.'),
    text('Scope', '.spec.scope', 'global or a service.'),
    integer('Version', '.status.version', 'Version of the value.'),
    text(
      'In-Sync',
      condition('InSync', 'status'),
      'Does every container that sees it run this version?',
    ),
    wide(text('Type', '.spec.type', 'env or file.')),
    wide(text('Reason', condition('InSync', 'reason'), 'Why it is in sync or not.')),
    wide(text('Expires', '.status.expiresAt', 'When the value ends.')),
    wide(
      text(
        'Due',
        '.status.rotationDueAt',
        'When the value is older than the policy of the project allows.',
      ),
    ),
    wide(text('Value', '.status.value', 'The value, where it is plain.')),
    wide(text('Audience', '.spec.audience', 'Services, or Controller.')),
    wide(text('Environments', '.spec.environments', 'Environments that see it; all when empty.')),
    age,
  ],
  Stagelet: [
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
    wide({ ...project, description: 'Project whose secrets it gets.' }),
    wide(text('Environment', '.spec.environment', 'Environment of the project.')),
    wide(text('Rollout', '.status.lastRollout.result', 'How the last rollout went.')),
    wide(text('Ends', '.status.endsAt', 'When it is deleted.')),
    wide(text('Directory', '.spec.compose.directory', 'Folder of the compose file.')),
    age,
  ],
  Notifier: [
    text('Delivering', condition('Delivering', 'status'), 'Do its messages arrive?'),
    text('Reason', condition('Delivering', 'reason'), 'Why they arrive or not.'),
    date('Last', '.status.lastDeliveredAt', 'When a message arrived last.'),
    age,
  ],
  TrustedIssuer: [
    text('Issuer', '.spec.issuer', 'Whose tokens are taken.'),
    text('Audience', '.spec.audience', 'For whom they must be.'),
    date('Last', '.status.lastExchangeAt', 'When a job last got a token by it.'),
    age,
  ],
  Rotation: [
    project,
    text('Ready', condition('Ready', 'status'), 'Is the credential in use one that it made?'),
    text('Phase', '.status.phase', 'Where the rotation stands; Idle between two.'),
    text('Reason', condition('Progressing', 'reason'), 'Why it is in this phase.'),
    date('Last', '.status.lastRotatedAt', 'When a rotation was completed last.'),
    text('Next', '.status.nextAt', 'When the next rotation starts.'),
    wide(text('Failed', condition('Failed', 'status'), 'Did the last attempt fail?')),
    wide(text('Blocked', condition('Blocked', 'status'), 'Does it wait for somebody?')),
    wide(text('Overdue', condition('Overdue', 'status'), 'Is the credential too old?')),
    wide(text('Slot', '.status.slot', 'The slot whose credential is in use.')),
    age,
  ],
  SecretStore: [
    text('Provider', '.status.provider', 'Which kind of store it is.'),
    text('Ready', condition('Ready', 'status'), 'Does the store take the credential?'),
    text('Fresh', condition('Fresh', 'status'), 'Was it read lately?'),
    text('Reason', condition('Ready', 'reason'), 'Why it is ready or not.'),
    integer('Secrets', '.status.secrets', 'How many secrets take their value from it.'),
    date('Last-Sync', '.status.lastLookAt', 'When it was read last.'),
    wide(integer('Calls', '.status.callsPerMinute', 'Calls a minute.')),
    wide(integer('Lag', '.status.lagSeconds', 'How many seconds old its answers may be.')),
    wide(text('Throttled', condition('Throttled', 'status'), 'Does it limit the calls?')),
    wide(
      text(
        'Deletions-Held',
        condition('Braked', 'status'),
        'Were too many secrets missing at once?',
      ),
    ),
    age,
  ],
  Event: [
    date('Last Seen', '.lastTimestamp', 'When it last happened.'),
    text('Type', '.type', 'Normal or Warning.'),
    text('Reason', '.reason', 'One word for what happened.'),
    text('Object', '.involvedObject.name', 'What it happened to.'),
    text('Message', '.message', 'What happened.'),
  ],
} satisfies Readonly<Record<string, readonly PrinterColumn[]>>
