// Serves the built files of the dashboard from memory. What they show comes from the REST API, which asks for a login.
import { builtFolder } from './built.ts'
import type { App } from './env.ts'
import { answerFile, answerNoFile, contentPolicyOf, usePageHeaders } from './static-files.ts'
import type { StaticFiles } from './static-files.ts'

export const dashboardFolder = builtFolder('dashboard')

interface DashboardOptions {
  readonly files: StaticFiles | undefined
  readonly isTrusted: boolean
}

const policy = contentPolicyOf("'self'", "'none'")

const missing = `This build of Stagely has no dashboard. "npm run build" makes it;
"stagely controller --no-dashboard" serves none.
`

/** The shell is served for each path that is no file: the page itself knows its paths. */
export const mountDashboard = (app: App, { files, isTrusted }: DashboardOptions): void => {
  usePageHeaders(app, '/ui/*', { policy, isTrusted })
  app.get('/', (c) => c.redirect('/ui/', 302))
  app.get('/ui', (c) => c.redirect('/ui/', 302))
  app.get('/ui/*', (c) => {
    if (files === undefined) return answerNoFile(c, missing)
    const path = c.req.path.slice('/ui/'.length)
    const file = files.get(path)
    if (file === undefined && path.startsWith('assets/')) return answerNoFile(c)
    return answerFile(c, file ?? files.get('index.html')!)
  })
}
