// What the routes of sessions work with.
import type { TokenVerifier } from '../../auth.ts'
import type { BrowserLoginStart } from '../../login/browser.ts'
import type { LoginLimit } from '../../rate-limit.ts'
import type { Base } from '../../session-cookie.ts'

export interface SessionRouteDeps {
  readonly base: Base
  readonly tokens: TokenVerifier
  readonly loginLimit: LoginLimit
  /** Where people log in; undefined: by tokens only. */
  readonly provider?: {
    readonly issuer: string
    readonly begin: (start: BrowserLoginStart) => Promise<{ url: string; state: string }>
  }
  readonly meta: {
    readonly version: string
    /** Words for what is turned on. */
    readonly features: readonly string[]
    /** REST requests a second of one person; 0: no limit. */
    readonly rate: number
  }
}
