// TrustedIssuers: whose tokens let jobs of a CI log in.
import * as z from 'zod'
import {
  trustedIssuerSpec,
  trustedIssuerStatus,
} from '../../../../src/kinds/trusted-issuer/schema.ts'
import { fieldsOf } from '../../../../src/resources/schemas/rest-fields.ts'
import { createRoute, deleteRoute, readRoutes, updateRoute, type RestKind } from './kind-routes.ts'
import { objectShape, ofEveryStatus } from '../kinds.ts'
import { routesOf } from '../route.ts'
import { answerOf, answerShape } from '../shapes.ts'

const issuerFields = fieldsOf(trustedIssuerSpec, {})

const issuerSchema = z
  .strictObject(
    objectShape('TrustedIssuer', {
      ...answerShape(issuerFields, ['spec']),
      ...answerShape(fieldsOf(trustedIssuerStatus, ofEveryStatus), ['status']),
    }),
  )
  .describe('Lets jobs of a CI log in by the tokens that it gives them.')
export const toIssuer = answerOf(issuerSchema)

const issuers: RestKind = { kind: 'TrustedIssuer', schema: issuerSchema, fields: issuerFields }

export const issuerRoutes = routesOf('Trusted issuers', [
  ...readRoutes(issuers, { summaries: ['Trusted issuers of all your teams.', 'One of them.'] }),
  createRoute(issuers, {
    summary: 'Let jobs of a CI log in to one of your teams by the tokens that it gives them.',
    session: 'confirmed',
  }),
  updateRoute(issuers, {
    summary: 'Change what is given. Tokens that were given by it end.',
    session: 'confirmed',
  }),
  deleteRoute(issuers, {
    summary: 'Trust it no more. Tokens that were given by it end.',
    session: 'confirmed',
  }),
])
