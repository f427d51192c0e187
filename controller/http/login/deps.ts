// What logins at the OpenID provider share, be they for the command line or in a browser.
import { createHmac } from 'node:crypto'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { Identity } from '../../../src/store/people/identities.ts'
import type { LoginStore } from '../../../src/store/people/logins.ts'
import type { DeniedLog } from '../denied.ts'
import type { AppContext } from '../env.ts'
import type { FailureLimit, LoginLimit } from '../rate-limit.ts'
import type { Base } from '../session-cookie.ts'
import type { Asking, LoginChecks, OidcProvider } from './provider.ts'

export interface LoginDeps {
  readonly logins: Pick<
    LoginStore,
    'isTaken' | 'finish' | 'exchange' | 'finishInBrowser' | 'confirmInBrowser'
  >
  readonly provider: Pick<OidcProvider, 'authorizationUrl' | 'identity'>
  /** 32 bytes, the same on every replica. */
  readonly key: Buffer
  readonly base: Base
  readonly clock: Clock
  readonly log: Logger
  readonly denied: DeniedLog
  /** Limits failed attempts: each costs a request to the provider or the database. */
  readonly failureLimit: FailureLimit
  readonly loginLimit: LoginLimit
}

/** Derived from the state, so that nothing is stored for a login in progress. */
export const checksOf = (key: Buffer, state: string): LoginChecks => {
  const part = (use: string): string =>
    createHmac('sha256', key).update(`${use} ${state}`).digest('base64url')
  return { state, nonce: part('nonce'), verifier: part('verifier') }
}

export const callbackUrl = ({ base }: Pick<LoginDeps, 'base'>): string => `${base()}/auth/callback`

/** Who came back from the provider. Forbidden when it does not confirm that. */
export const identityOf = (
  c: AppContext,
  deps: LoginDeps,
  { state, ...asking }: { readonly state: string } & Asking,
): Promise<Identity> => {
  const callback = new URL(callbackUrl(deps))
  callback.search = new URL(c.req.url).search
  return deps.provider.identity(callback, checksOf(deps.key, state), asking)
}
