// Requests for access as REST shows them.
import * as z from 'zod'
import { accessRequestSpec, accessRequestStatus } from '../../../src/kinds/access-request/schema.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { fieldsOf, hidden } from '../../../src/resources/schemas/rest-fields.ts'
import { created_at, idWith, ofName, ofTeam } from './kinds.ts'
import { answerOf, answerShape } from './shapes.ts'

export const requestFields = fieldsOf(accessRequestSpec, {
  projectRef: { name: 'project' },
})

export const accessRequestSchema = z
  .strictObject({
    id: idWith('`areq_…`; paths take it, and `team/name` as well.'),
    name: ofName,
    team: ofTeam,
    ...answerShape(
      requestFields.filter(({ name }) => name !== 'secrets'),
      ['spec'],
    ),
    ...answerShape(fieldsOf(accessRequestStatus, { salt: hidden }), ['status']),
    created_at,
  })
  .describe('A person asks to read guarded values for a while.')
export const toAccessRequest: (request: KubeObject) => object = answerOf(accessRequestSchema)
