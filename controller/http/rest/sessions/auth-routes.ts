// What a page must know before anybody is logged in: which ways there are, and where they begin.
import * as z from 'zod'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import { isDashboardPage } from '../../../../src/access/dashboard-page.ts'
import { loginCookie } from '../../session-cookie.ts'
import { maxBodyBytes } from '../../kube/body.ts'
import { mostOperations } from '../routes/batch-routes.ts'
import { route, routesOf } from '../route.ts'
import { sessionOf } from './person.ts'

const returnTo = z
  .string()
  .max(2_000)
  .refine(isDashboardPage, 'must be a page of the dashboard: /ui/…')
  .default('/ui/')

export const authRoutes = routesOf('Sessions', [
  route({
    id: 'getAuthMethods',
    at: 'GET /auth/methods',
    summary: 'How people log in here.',
    access: { in: 'public' },
    response: {
      description: 'The ways.',
      schema: z.strictObject({
        token: z.literal(true),
        oidc: z
          .strictObject({ issuer: z.string(), name: z.string() })
          .nullable()
          .describe('The OpenID provider, if there is one.'),
      }),
    },
    handle: ({ deps }) => {
      const issuer = deps.sessions.provider?.issuer
      const oidc = issuer === undefined ? null : { issuer, name: new URL(issuer).hostname }
      return Promise.resolve({ body: { token: true, oidc } })
    },
  }),
  route({
    id: 'beginWebLogin',
    at: 'GET /auth/web/login',
    summary: 'Go to the OpenID provider, and come back logged in.',
    access: { in: 'public' },
    query: z.strictObject({
      return_to: returnTo.describe('Page of the dashboard to come back to.'),
      confirm: z
        .enum(['true', 'false'])
        .default('false')
        .describe('true: for a session that is open, prove again who you are.'),
    }),
    response: { status: 303, description: 'To the provider.' },
    handle: async (context) => {
      const { deps, query } = context
      const { base, provider } = deps.sessions
      if (provider === undefined)
        throw new StagelyError('NotFound', 'this controller knows no OpenID provider')
      const confirms = query.confirm === 'true' ? (await sessionOf(context)).tokenId : undefined
      const { url, state } = await provider.begin({ returnTo: query.return_to, confirms })
      return { headers: { location: url, 'set-cookie': loginCookie(base, 'browser', state) } }
    },
  }),
  route({
    id: 'getMeta',
    at: 'GET /meta',
    summary: 'What this controller is.',
    access: { in: 'public' },
    response: {
      description: 'Name, version and limits.',
      schema: z.strictObject({
        name: z.string().describe('Host name, as browsers see it.'),
        version: z.string(),
        features: z
          .array(z.string())
          .describe('What is turned on: dashboard, oidc, manifests, kubernetes.'),
        limits: z.strictObject({
          batch: z.int().describe('Operations in a batch.'),
          body: z.int().describe('Bytes of a request.'),
          rate: z.int().describe('Requests a second of one person; 0: no limit.'),
        }),
      }),
    },
    handle: ({ deps }) => {
      const { base, meta } = deps.sessions
      const { version, features, rate } = meta
      const limits = { batch: mostOperations, body: maxBodyBytes, rate }
      const name = new URL(base()).hostname
      return Promise.resolve({ body: { name, version, features, limits } })
    },
  }),
])
