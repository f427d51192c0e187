import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { observationSpec } from './schema.ts'

export const observation = defineKind({
  names,
  spec: observationSpec,
  columns: [],
})
