// Bearer tokens. Who may log in reads discovery; roles other than admin may do nothing else yet.
import type { MiddlewareHandler } from 'hono'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { AppEnv, User } from './env.ts'

export interface TokenVerifier {
  verify(token: string): Promise<User | undefined>
}

const impersonation = /^impersonate-/i

/** 401 without a good token; 403 for impersonation, which would otherwise be ignored in silence. */
export const requireLogin =
  (tokens: TokenVerifier): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    const user = token === undefined ? undefined : await tokens.verify(token)
    if (user === undefined) throw new StagelyError('Unauthorized', 'Unauthorized')
    if (Object.keys(c.env.incoming.headers).some((name) => impersonation.test(name)))
      throw new StagelyError('Forbidden', 'impersonation is not supported: log in as that user')
    c.set('user', user)
    await next()
  }

/** 403 unless the user may read and write everything. */
export const requireAdmin: MiddlewareHandler<AppEnv> = async (c, next) => {
  const user = c.get('user')
  if (user.role !== 'admin')
    throw new StagelyError(
      'Forbidden',
      `forbidden: User ${JSON.stringify(user.name)} has no role that allows this`,
    )
  await next()
}
