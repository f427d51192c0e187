// The reviews that `kubectl auth can-i` and `auth whoami` ask for (contract 6).
import type { Principal } from '../../../src/access/principal.ts'
import type { App, AppContext } from '../env.ts'
import { readObject } from './body.ts'

const answer = async (c: AppContext, status: (user: Principal) => object): Promise<Response> => {
  const input = await readObject(c)
  const { apiVersion, kind, spec } = input
  return c.json(
    {
      apiVersion,
      kind,
      metadata: {},
      ...(spec === undefined ? {} : { spec }),
      status: status(c.get('user')),
    },
    201,
  )
}

const isAdmin = (user: Principal): boolean => user.admin
const roleOf = (user: Principal): string => (user.admin ? 'admin' : 'member')
const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }
const review = (group: string, ...resources: string[]): object => ({
  verbs: ['create'],
  apiGroups: [group],
  resources,
})
/** What everybody may who is logged in. */
const ownReviews = [
  review('authentication.k8s.io', 'selfsubjectreviews'),
  review('authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
]
const readable = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*']
const open = ['/healthz', '/livez', '/metrics', '/readyz', '/version']

export const mountSelfReviews = (app: App): void => {
  app.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', (c) =>
    answer(c, (user) => ({ allowed: isAdmin(user), reason: `role ${roleOf(user)}` })),
  )
  app.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', (c) =>
    answer(c, (user) => ({
      resourceRules: [...(isAdmin(user) ? [everything] : []), ...ownReviews],
      nonResourceRules: [
        ...(isAdmin(user) ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : []),
        { verbs: ['get'], nonResourceURLs: [...readable, ...open] },
      ],
      incomplete: false,
    })),
  )
  app.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', (c) =>
    answer(c, (user) => ({
      userInfo: {
        username: user.name,
        groups: ['system:authenticated', `stagely:${roleOf(user)}`],
      },
    })),
  )
}
