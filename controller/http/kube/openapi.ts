// Serves the OpenAPI v3 index and documents. The hash in a document's URL is its ETag, so that
// kubectl keeps it for as long as the schemas stay.
import { openApiDocuments } from '../../../src/resources/openapi.ts'
import type { App } from '../env.ts'
import { answerDocument, documentOf } from './discovery.ts'

export const mountOpenApi = (app: App, version: string): void => {
  const documents = [...openApiDocuments(version)].map(([path, content]) => ({
    path,
    document: documentOf(content),
  }))
  const index = documentOf({
    paths: Object.fromEntries(
      documents.map(({ path, document }) => [
        path,
        { serverRelativeURL: `/openapi/v3/${path}?hash=${document.etag.replaceAll('"', '')}` },
      ]),
    ),
  })
  app.get('/openapi/v3', (c) => answerDocument(c, index, { 'cache-control': 'no-cache' }))
  for (const { path, document } of documents)
    app.get(`/openapi/v3/${path}`, (c) =>
      answerDocument(c, document, { 'cache-control': 'public, immutable' }),
    )
}
