// Serves the site of the documents (ADR 0089). Nobody may need it for weeks: its files are read with the first request.
import { lazy } from '../../src/kernel/lazy.ts'
import { builtFolder } from './built.ts'
import type { App } from './env.ts'
import {
  answerFile,
  answerNoFile,
  contentPolicyOf,
  readStaticFiles,
  usePageHeaders,
} from './static-files.ts'

export const documentsFolder = builtFolder('docs')

interface DocumentsOptions {
  readonly folder: string
  readonly isTrusted: boolean
}

/** Icons are in the styles; the library of the page names its type of trusted HTML. */
const policy = contentPolicyOf("'self' data:", 'vue')

const missing = `This build of Stagely has no documents. "npm run build" makes them.
`

export const mountDocuments = (app: App, { folder, isTrusted }: DocumentsOptions): void => {
  const reading = lazy(() => readStaticFiles(folder))
  usePageHeaders(app, '/docs/*', { policy, isTrusted })
  app.get('/docs', (c) => c.redirect('/docs/', 302))
  app.get('/docs/*', async (c) => {
    const files = await reading()
    if (files === undefined) return answerNoFile(c, missing)
    const path = c.req.path.slice('/docs/'.length)
    const file = [path, `${path}.html`, `${path}index.html`].map((name) => files.get(name))
    const found = file.find((candidate) => candidate !== undefined)
    if (found !== undefined) return answerFile(c, found)
    return path.startsWith('assets/') ? answerNoFile(c) : answerFile(c, files.get('404.html')!, 404)
  })
}
