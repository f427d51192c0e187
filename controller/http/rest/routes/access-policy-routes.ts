// Access policies: whose values need a request, and who approves it.
import { accessPolicySpec, accessPolicyStatus } from '../../../../src/kinds/access-policy/schema.ts'
import { fieldsOf } from '../../../../src/resources/schemas/rest-fields.ts'
import { createRoute, deleteRoute, readRoutes, updateRoute, type RestKind } from './kind-routes.ts'
import { objectShape, ofEveryStatus } from '../kinds.ts'
import { routesOf } from '../route.ts'
import { answerOf, answerShape } from '../shapes.ts'
import * as z from 'zod'

const policyFields = fieldsOf(accessPolicySpec, {})

const policySchema = z
  .strictObject(
    objectShape('AccessPolicy', {
      ...answerShape(policyFields, ['spec']),
      ...answerShape(fieldsOf(accessPolicyStatus, ofEveryStatus), ['status']),
    }),
  )
  .describe('Says who reads values of projects only by a request that others approve.')
export const toPolicy = answerOf(policySchema)

const policies: RestKind = { kind: 'AccessPolicy', schema: policySchema, fields: policyFields }

export const accessPolicyRoutes = routesOf('Access', [
  ...readRoutes(policies, { summaries: ['Access policies of all your teams.', 'One policy.'] }),
  createRoute(policies, {
    summary: 'Let values of projects be read only by a request that others approve.',
    session: 'confirmed',
  }),
  updateRoute(policies, { session: 'confirmed' }),
  deleteRoute(policies, {
    summary: 'Guard the values no more: who may read values of the team reads them again.',
    session: 'confirmed',
  }),
])
