import { age, text } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { namespaceSpec, namespaceStatus } from './schema.ts'

export const namespace = defineKind({
  names,
  spec: namespaceSpec,
  status: namespaceStatus,
  columns: [text('Status', '.status.phase', 'Active or Terminating.'), age],
})
