import { date, text } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { eventSpec } from './schema.ts'

export const event = defineKind({
  names,
  spec: eventSpec,
  columns: [
    date('Last Seen', '.lastTimestamp', 'When it last happened.'),
    text('Type', '.type', 'Normal or Warning.'),
    text('Reason', '.reason', 'One word for what happened.'),
    text('Object', '.involvedObject.name', 'What it happened to.'),
    text('Message', '.message', 'What happened.'),
  ],
})
