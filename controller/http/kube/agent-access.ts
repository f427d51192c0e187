// POST agents/NAME/token and agents/NAME/revoke: makes a join token, and revokes an agent.
import type { Schema } from '../../../src/resources/schemas/crd.ts'
import { ephemeralSpec, type AgentSpec } from '../../../src/kinds/agent/schema.ts'
import type { ObjectRef } from '../../../src/resources/meta.ts'
import { apiVersion } from '../../../src/resources/meta.ts'
import { refTo } from '../../../src/resources/schemas/openapi-meta.ts'
import { requireKind } from '../../../src/kinds/index.ts'
import { renderJoinToken } from '../../../src/protocol/join-token.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { Actor } from '../../../src/store/store.ts'
import { actorOf, type AppContext } from '../env.ts'
import { readObject } from './body.ts'
import { refOfPath } from './read.ts'
import type { KubeAccess, KubeRoute } from './route.ts'
import { kubeInvalid } from './status.ts'

interface AgentAdmission {
  createJoinToken(request: {
    namespace: string
    name: string
    ttlMs: number
    actor: Actor
    ephemeral?: AgentSpec['ephemeral']
  }): Promise<{ tokenId: string; tokenSecret: string; expiresAt: number }>
  revoke(ref: ObjectRef, actor: Actor): Promise<void>
}

export interface AgentAccessDeps {
  readonly agents: AgentAdmission
  /** The controller's address and keys, for join tokens. */
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
  throw kubeInvalid(requireKind('Agent'), name, [
    {
      field: 'spec.expirationSeconds',
      reason: 'FieldValueInvalid',
      message: `Invalid value: must be a whole number of seconds from 1 to ${maxSeconds}`,
    },
  ])
}

const ephemeralFrom = (
  input: Record<string, unknown>,
  name: string,
): { readonly ephemeral?: AgentSpec['ephemeral'] } => {
  const { ephemeral } = (input['spec'] ?? {}) as { ephemeral?: unknown }
  if (ephemeral === undefined) return {}
  const parsed = ephemeralSpec.safeParse(ephemeral)
  if (parsed.success) return { ephemeral: parsed.data }
  const message = 'Invalid value: must be {goneAfter}, such as 10m; 1m is the shortest'
  throw kubeInvalid(requireKind('Agent'), name, [
    { field: 'spec.ephemeral', reason: 'FieldValueInvalid', message },
  ])
}

/** Who may run an agent may also make a join token for it or revoke it. */
const access = (subresource: string): KubeAccess => ({
  kind: requireKind('Agent'),
  verb: 'create',
  subresource,
  in: 'namespace',
  right: 'agents/join',
})

const object = (properties: object): Schema => ({ type: 'object', properties })

const tokenSchema = (spec: object, status?: object): Schema =>
  object({ spec: object(spec), ...(status && { status: object(status) }) })

export const agentAccessRoutes = (deps: AgentAccessDeps): KubeRoute[] => {
  const base = '/apis/stagely.dev/v1alpha1/namespaces/:namespace/agents/:name'
  return [
    {
      method: 'POST',
      path: `${base}/token`,
      access: access('token'),
      describes: {
        id: 'createStagelyDevV1alpha1NamespacedAgentToken',
        summary: 'Make a join token. It is shown this once.',
        body: tokenSchema({
          expirationSeconds: { type: 'integer', default: defaultSeconds },
          ephemeral: object({ goneAfter: { type: 'string', default: '10m' } }),
        }),
        status: 201,
        answer: tokenSchema(
          { expirationSeconds: { type: 'integer' } },
          { token: { type: 'string' }, expirationTimestamp: { type: 'string' } },
        ),
      },
      handle: (c) => serveJoinToken(c, deps),
    },
    {
      method: 'POST',
      path: `${base}/revoke`,
      access: access('revoke'),
      describes: {
        id: 'createStagelyDevV1alpha1NamespacedAgentRevoke',
        summary: 'Lock the agent out: its keys open nothing any more.',
        status: 200,
        answer: refTo('Status'),
      },
      handle: async (c) => {
        await deps.agents.revoke(refOfPath(c, requireKind('Agent')), actorOf(c))
        return c.json({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' })
      },
    },
  ]
}

const serveJoinToken = async (
  c: AppContext,
  { agents, introduction }: AgentAccessDeps,
): Promise<Response> => {
  const { namespace, name } = refOfPath(c, requireKind('Agent'))
  const { content } = await readObject(c)
  const seconds = secondsFrom(content, name)
  const made = await agents.createJoinToken({
    namespace,
    name,
    ttlMs: seconds * 1000,
    actor: actorOf(c),
    ...ephemeralFrom(content, name),
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
}
