// What browsers get from a controller: the dashboard, sessions, and the login at the OpenID provider.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../src/kernel/clock.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { Opened } from '../src/store/open/open-store.ts'
import type { DeniedLog } from './http/denied.ts'
import type { Config } from './config.ts'
import { dashboardFolder, mountDashboard } from './http/dashboard.ts'
import { documentsFolder, mountDocuments } from './http/documents.ts'
import type { App } from './http/env.ts'
import { beginInBrowser } from './http/login/browser.ts'
import type { LoginDeps } from './http/login/deps.ts'
import { mountLogin } from './http/login/routes.ts'
import type { RequestLimits } from './http/rate-limit.ts'
import type { SessionRouteDeps } from './http/rest/sessions/deps.ts'
import type { Base } from './http/session-cookie.ts'
import { readStaticFiles } from './http/static-files.ts'

interface Given {
  readonly opened: Pick<Opened, 'settings' | 'logins' | 'principals'>
  readonly limits: RequestLimits
  readonly base: Base
  readonly denied: DeniedLog
  readonly clock: Clock
  readonly log: Logger
  readonly version: string
}

interface Web {
  readonly sessions: SessionRouteDeps
  mount(app: App): void
}

/** Words for what the configuration turns on. */
const featuresOf = (config: Config): string[] =>
  Object.entries({
    dashboard: config.dashboard,
    oidc: config.oidc !== undefined,
    manifests: config.manifestsDir !== undefined,
    kubernetes: config.kubernetes !== undefined,
  })
    .filter(([, isOn]) => isOn)
    .map(([feature]) => feature)

/** undefined where no provider is configured. */
const openProvider = async ({ oidc }: Config, given: Given): Promise<LoginDeps | undefined> => {
  if (oidc === undefined) return undefined
  const { opened, limits, base, denied, clock, log } = given
  const { failureLimit, loginLimit } = limits
  const { OidcProvider } = await import('./http/login/provider.ts')
  const key = await opened.settings.putSealedIfAbsent('login', randomBytes(32))
  const provider = new OidcProvider(oidc)
  const { logins } = opened
  return { logins, provider, key, base, clock, log, denied, failureLimit, loginLimit }
}

export const prepareWeb = async (config: Config, given: Given): Promise<Web> => {
  const { opened, limits, base, version } = given
  const login = await openProvider(config, given)
  const files = config.dashboard ? await readStaticFiles(dashboardFolder) : undefined
  return {
    sessions: {
      base,
      tokens: opened.principals,
      loginLimit: limits.loginLimit,
      ...(login !== undefined && {
        provider: {
          issuer: config.oidc!.issuer,
          begin: (start) => beginInBrowser(login, start),
        },
      }),
      meta: { version, features: featuresOf(config), rate: config.rateLimit },
    },
    mount: (app) => {
      if (login !== undefined) mountLogin(app, login)
      if (!config.dashboard) return
      const isTrusted = config.tlsFiles !== undefined
      mountDashboard(app, { files, isTrusted })
      mountDocuments(app, { folder: documentsFolder, isTrusted })
    },
  }
}
