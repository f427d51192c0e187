import { age, condition, date, ofProject, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { checkRotation } from './rules.ts'
import { rotationSpec, rotationStatus } from './schema.ts'

export const rotation = defineKind({
  names,
  spec: rotationSpec,
  status: rotationStatus,
  check: checkRotation,
  columns: [
    ofProject,
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
})
