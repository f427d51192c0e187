// The reviews that `kubectl auth can-i` and `auth whoami` ask for (contract 6).
import type { App, AppContext, User } from '../env.ts'
import { readObject } from './body.ts'

const answer = async (c: AppContext, status: (user: User) => object): Promise<Response> => {
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

const isAdmin = (user: User): boolean => user.role === 'admin'
const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }

export const mountSelfReviews = (app: App): void => {
  app.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', (c) =>
    answer(c, (user) => ({ allowed: isAdmin(user), reason: `role ${user.role}` })),
  )
  app.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', (c) =>
    answer(c, (user) => ({
      resourceRules: isAdmin(user) ? [everything] : [],
      nonResourceRules: isAdmin(user) ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : [],
      incomplete: false,
    })),
  )
  app.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', (c) =>
    answer(c, ({ name, role }) => ({
      userInfo: { username: name, groups: ['system:authenticated', `stagely:${role}`] },
    })),
  )
}
