// POST agents/NAME/token and agents/NAME/revoke: who may become an agent, and who no longer is one.
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { ObjectRef } from '../../../src/resources/meta.ts'
import { apiVersion } from '../../../src/resources/meta.ts'
import { requireKind } from '../../../src/resources/registry.ts'
import { renderJoinToken } from '../../../src/protocol/join-token.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { Actor } from '../../../src/store/store.ts'
import { actorOf, type App } from '../env.ts'
import { readObject } from './body.ts'
import { invalid } from './status.ts'

export interface AgentAdmission {
  createJoinToken(request: {
    namespace: string
    name: string
    ttlMs: number
    actor: Actor
  }): Promise<{ tokenId: string; tokenSecret: string; expiresAt: number }>
  revoke(ref: ObjectRef, actor: Actor): Promise<void>
}

export interface AgentAccessDeps {
  readonly agents: AgentAdmission
  /** What join tokens tell an agent about this controller. */
  readonly introduction: () => { url: string; controllerX25519: string; ca: string }
}

const defaultSeconds = 600
const maxSeconds = 7 * 86_400

const secondsFrom = (input: Record<string, unknown>, name: string): number => {
  const spec = input['spec'] as { expirationSeconds?: unknown } | undefined
  const seconds = spec?.expirationSeconds ?? defaultSeconds
  if (
    typeof seconds === 'number' &&
    Number.isInteger(seconds) &&
    seconds >= 1 &&
    seconds <= maxSeconds
  )
    return seconds
  throw invalid(requireKind('Agent'), name, [
    {
      field: 'spec.expirationSeconds',
      reason: 'FieldValueInvalid',
      message: `Invalid value: must be a whole number of seconds from 1 to ${maxSeconds}`,
    },
  ])
}

export const mountAgentAccess = (app: App, { agents, introduction }: AgentAccessDeps): void => {
  const base = '/apis/stagely.dev/v1alpha1/namespaces/:namespace/agents/:name'

  app.post(`${base}/token`, async (c) => {
    const { namespace, name } = c.req.param()
    const seconds = secondsFrom(await readObject(c), name)
    const made = await agents.createJoinToken({
      namespace,
      name,
      ttlMs: seconds * 1000,
      actor: actorOf(c),
    })
    const { tokenId, tokenSecret } = made
    const token = renderJoinToken({ ...introduction(), namespace, name, tokenId, tokenSecret })
    const expirationTimestamp = toTimestamp(made.expiresAt)
    c.header('cache-control', 'no-store')
    return c.json(
      {
        apiVersion,
        kind: 'AgentToken',
        metadata: { namespace, name },
        spec: { expirationSeconds: seconds },
        status: { token, expirationTimestamp },
      },
      201,
    )
  })

  app.post(`${base}/revoke`, async (c) => {
    const { namespace, name } = c.req.param()
    await agents.revoke({ kind: 'Agent', namespace, name }, actorOf(c))
    return c.json({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' })
  })

  app.all(`${base}/:subresource{token|revoke}`, () => {
    throw new StagelyError(
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
    )
  })
}
