import { age, condition, date, text } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { notifierSpec, notifierStatus, checkNotifier } from './schema.ts'

export const notifier = defineKind({
  names,
  spec: notifierSpec,
  status: notifierStatus,
  check: checkNotifier,
  columns: [
    text('Delivering', condition('Delivering', 'status'), 'Do its messages arrive?'),
    text('Reason', condition('Delivering', 'reason'), 'Why they arrive or not.'),
    date('Last', '.status.lastDeliveredAt', 'When a message arrived last.'),
    age,
  ],
})
