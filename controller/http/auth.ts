// Bearer tokens. Who is logged in reads discovery; only admins may do more yet.
import { createHash } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { Principal } from '../../src/access/principal.ts'
import type { AppEnv } from './env.ts'

export interface TokenVerifier {
  verify(token: string): Promise<Principal | undefined>
}

const impersonation = /^impersonate-/i
const rememberedMs = 5_000
const rememberedTokens = 1_000

/** Remembers good tokens for 5 s, so that a busy client costs no query for each request. Kept by hash. */
export const rememberTokens = (tokens: TokenVerifier, clock: Clock): TokenVerifier => {
  const known = new Map<string, { user: Principal; until: number }>()
  return {
    verify: async (token) => {
      const hash = createHash('sha256').update(token).digest('base64')
      const entry = known.get(hash)
      if (entry !== undefined && entry.until > clock.now()) return entry.user
      known.delete(hash)
      const user = await tokens.verify(token)
      if (user === undefined) return undefined
      if (known.size >= rememberedTokens) known.clear()
      known.set(hash, { user, until: clock.now() + rememberedMs })
      return user
    },
  }
}

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
  if (!user.admin)
    throw new StagelyError(
      'Forbidden',
      `forbidden: User ${JSON.stringify(user.name)} has no role that allows this`,
    )
  await next()
}
