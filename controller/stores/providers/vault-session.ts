// The token with which Vault is asked: given, or borrowed by a login, and renewed while it is in use.
import * as z from 'zod'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { readAs, unexpected, type StoreHttp } from '../http.ts'
import type { StoreOpening } from '../opening.ts'
import { StoreFault } from '../provider.ts'

interface VaultSession {
  /** With the token. 403 means that the token is good and has no right. */
  readonly send: StoreHttp
  whoAmI(signal: AbortSignal): Promise<string>
  close(): Promise<void>
}

const login = z.object({
  auth: z.object({
    client_token: z.string().min(1),
    lease_duration: z.number(),
    renewable: z.boolean().optional(),
  }),
})
const self = z.object({
  data: z.object({
    display_name: z.string().optional(),
    entity_id: z.string().optional(),
    ttl: z.number(),
    renewable: z.boolean().optional(),
  }),
})

interface Token {
  readonly text: string
  /** True: by a login. It is given back at the end. */
  readonly isBorrowed: boolean
  /** From here on it is renewed, or borrowed anew; undefined: it has no end that is near. */
  renewAt: number | undefined
  isRenewable: boolean
  /** When Vault last said that it knows the token, and by which name. */
  identity: { readonly at: number; readonly as: string } | undefined
}

/** So long a 403 is taken for a missing right, without asking whether Vault still knows the token. */
const knownMs = 60_000

const notTaken = (): StoreFault =>
  new StoreFault(
    'Unauthorized',
    'Vault does not accept the credential (status 403); a token also needs the right to look itself up, which the policy "default" gives',
  )

const withToken = ({ text }: Token): Record<string, string> => ({ 'x-vault-token': text })

interface Context {
  readonly block: ProviderBlock<'vault'>
  readonly opening: Pick<StoreOpening, 'clock' | 'credential'>
  readonly call: StoreHttp
}

const halfOf = ({ opening }: Context, seconds: number): number | undefined =>
  seconds <= 0 ? undefined : opening.clock.now() + seconds * 500

const borrow = async (context: Context, signal: AbortSignal): Promise<Token> => {
  const { appRole, jwt } = context.block
  const secret = await context.opening.credential()
  const [mount, body] =
    appRole === undefined
      ? [jwt!.mount, { role: jwt!.role, jwt: secret }]
      : [appRole.mount, { role_id: appRole.roleId, secret_id: secret }]
  const request = { method: 'POST', path: `/v1/auth/${mount}/login`, body } as const
  const answer = await context.call(request, signal)
  if (answer.status >= 400)
    throw new StoreFault(
      'Unauthorized',
      `Vault refuses the login at auth/${mount} (status ${answer.status})`,
    )
  const { auth } = readAs(login, 'Vault', answer)
  return {
    text: auth.client_token,
    isBorrowed: true,
    identity: undefined,
    renewAt: halfOf(context, auth.lease_duration),
    isRenewable: auth.renewable === true,
  }
}

/** Unauthorized unless Vault knows the token. */
const lookUp = async (context: Context, token: Token, signal: AbortSignal): Promise<string> => {
  const path = '/v1/auth/token/lookup-self'
  const answer = await context.call({ path, headers: withToken(token) }, signal)
  if (answer.status === 403) throw notTaken()
  if (answer.status !== 200) throw unexpected('Vault', answer.status)
  const { data } = readAs(self, 'Vault', answer)
  token.renewAt = halfOf(context, data.ttl)
  token.isRenewable = data.renewable === true
  const as = data.display_name ?? data.entity_id ?? 'a token'
  token.identity = { at: context.opening.clock.now(), as }
  return as
}

const given = async (context: Context, signal: AbortSignal): Promise<Token> => {
  const text = await context.opening.credential()
  const token: Token = {
    text,
    isBorrowed: false,
    renewAt: undefined,
    isRenewable: false,
    identity: undefined,
  }
  await lookUp(context, token, signal)
  return token
}

const renew = async (context: Context, token: Token, signal: AbortSignal): Promise<void> => {
  const request = { method: 'POST', path: '/v1/auth/token/renew-self', body: {} } as const
  const answer = await context.call({ ...request, headers: withToken(token) }, signal)
  const read = login.safeParse(answer.json)
  // A token that cannot be renewed is used to its end.
  token.renewAt = read.success ? halfOf(context, read.data.auth.lease_duration) : undefined
}

export const openVaultSession = (
  block: ProviderBlock<'vault'>,
  opening: StoreOpening,
  call: StoreHttp,
): VaultSession => {
  const context = { block, opening, call }
  const { clock } = opening
  let token: Token | undefined
  let pending: Promise<Token> | undefined

  const refreshed = async (signal: AbortSignal): Promise<Token> => {
    if (token?.renewAt !== undefined && clock.now() >= token.renewAt) {
      if (token.isRenewable) await renew(context, token, signal)
      else if (token.isBorrowed) token = undefined
    }
    const isLogin = block.appRole !== undefined || block.jwt !== undefined
    return (token ??= await (isLogin ? borrow : given)(context, signal))
  }
  /** Calls beside each other share one login. */
  const current = async (signal: AbortSignal): Promise<Token> => {
    pending ??= refreshed(signal).finally(() => (pending = undefined))
    return pending
  }

  const send: StoreHttp = async (request, signal) => {
    for (let attempt = 0; ; attempt++) {
      const currentToken = await current(signal)
      const answer = await call(
        { ...request, headers: { ...request.headers, ...withToken(currentToken) } },
        signal,
      )
      if (answer.status !== 403) return answer
      // 403 is Vault's answer to a missing right, and to a token that has ended too.
      if (clock.now() - (currentToken.identity?.at ?? -Infinity) < knownMs) return answer
      try {
        await lookUp(context, currentToken, signal)
        return answer
      } catch (error) {
        if (!(error instanceof StoreFault) || error.kind !== 'Unauthorized') throw error
        if (token === currentToken) token = undefined
        if (attempt > 0) throw error
      }
    }
  }

  return {
    send,
    whoAmI: async (signal) => {
      const before = token
      const currentToken = await current(signal)
      return currentToken === before || currentToken.identity === undefined
        ? lookUp(context, currentToken, signal)
        : currentToken.identity.as
    },
    close: async () => {
      if (token?.isBorrowed !== true) return
      const request = { method: 'POST', path: '/v1/auth/token/revoke-self', body: {} } as const
      const headers = withToken(token)
      token = undefined
      await call({ ...request, headers }, AbortSignal.timeout(2_000)).catch(() => undefined)
    },
  }
}
