import { age, condition, integer, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { accessPolicySpec, accessPolicyStatus, checkAccessPolicy } from './schema.ts'

export const accessPolicy = defineKind({
  names,
  spec: accessPolicySpec,
  status: accessPolicyStatus,
  check: checkAccessPolicy,
  columns: [
    text('Projects', '.spec.projects', 'Projects whose values are guarded.'),
    text('Environments', '.spec.environments', 'Only in these environments; all when empty.'),
    text('Usable', condition('Usable', 'status'), 'Are there enough people who may approve?'),
    text('Reason', condition('Usable', 'reason'), 'Why it is usable or not.'),
    integer('Approvers', '.status.approvers', 'How many people may approve.'),
    wide(text('After-Use', '.spec.afterUse', 'What follows when a grant ends.')),
    age,
  ],
})
