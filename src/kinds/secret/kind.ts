import { age, condition, integer, ofProject, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { checkSecret } from './rules.ts'
import { secretSpec, secretStatus } from './schema.ts'

export const secret = defineKind({
  names,
  spec: secretSpec,
  status: secretStatus,
  check: checkSecret,
  columns: [
    ofProject,
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
    wide(text('Service', condition('ScopeMatched', 'reason'), 'Whether a service has that scope.')),
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
})
