// Refusals of the agents' endpoints, as an HTTP status with { reason, message }.
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type * as z from 'zod'
import { httpStatusOf, StagelyError } from '../../../../src/kernel/errors.ts'
import type { Logger } from '../../../../src/kernel/log.ts'
import { isTooDeep, mostLevels, someValue } from '../../../../src/kernel/record.ts'
import type { Origin } from '../../../../src/store/store.ts'
import type { BodyBudget } from '../../body-budget.ts'
import { misfitsOf } from '../../../../src/resources/validation/misfits.ts'
import { AgentRefusedError, malformed, mostNamed } from '../../../orders/agent-refused.ts'
import { dropBody } from '../../read-body.ts'

export interface AgentEnv {
  Bindings: HttpBindings
  /** Set for every request of the server: see request-identity.ts and app.ts. */
  Variables: { address: string; requestId: string; bodies: BodyBudget }
}
export type AgentContext = Context<AgentEnv>

/** Where a request of an agent came from, for the audit log. */
export const requestOrigin = (c: AgentContext): Origin => ({
  address: c.get('address'),
  requestId: c.get('requestId'),
})

/** Renders any error. An unexpected one becomes a plain 500 and is logged here, once. */
export const renderRefusal = async (
  c: AgentContext,
  error: unknown,
  log: Logger,
): Promise<Response> => {
  const refused = toRefusal(error)
  if (refused === undefined) {
    log.error({ err: error, path: c.req.path }, 'agent request failed')
    return c.json({ reason: 'InternalError', message: 'the controller failed; see its log' }, 500)
  }
  if (refused.retryAfterSeconds !== undefined) {
    c.header('Retry-After', String(refused.retryAfterSeconds))
  }
  // Another replica behind the same address may serve the agent: a kept connection would lead here again.
  if (refused.status === 503) {
    await dropBody(c.env)
    c.header('Connection', 'close')
  }
  const body = { reason: refused.reason, message: refused.message }
  return c.json(body, refused.status as ContentfulStatusCode)
}

const toRefusal = (error: unknown): AgentRefusedError | undefined => {
  if (error instanceof AgentRefusedError) return error
  if (!(error instanceof StagelyError) || error.reason === 'InternalError') return undefined
  const status = httpStatusOf[error.reason]
  const retryAfter = error.details.retryAfterSeconds ?? (status === 503 ? 2 : undefined)
  return new AgentRefusedError(status, error.reason, error.message, retryAfter)
}

/** 400 with the faulty fields, never their values. */
export const decodeBody = <T>(text: string, schema: z.ZodType<T>): T => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new AgentRefusedError(400, 'BadRequest', 'the body is not JSON')
  }
  if (someValue(json, isTooDeep)) {
    const message = `the body is nested deeper than ${mostLevels} levels`
    throw new AgentRefusedError(400, 'BadRequest', message)
  }
  const misfits = misfitsOf(schema, json, mostNamed)
  if (misfits.length > 0) throw malformed(misfits)
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw malformed(parsed.error.issues.map((issue) => issue.path.join('.')))
}
