import { age, bool, condition, date, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { agentSpec, agentStatus } from './schema.ts'

export const agent = defineKind({
  names,
  spec: agentSpec,
  status: agentStatus,
  columns: [
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
})
