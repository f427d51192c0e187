// The package ships no types; these are of the part that the tests use.
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  interface Account {
    readonly accountId: string
    claims(): Record<string, unknown>
  }

  // eslint-disable-next-line import-x/no-default-export -- so the package exports it
  export default class Provider {
    constructor(
      issuer: string,
      configuration: Record<string, unknown> & {
        findAccount(context: unknown, id: string): Account
      },
    )
    callback(): RequestListener
    readonly Session: { readonly prototype: { loginTs: number; authTime(): number } }
  }
}
