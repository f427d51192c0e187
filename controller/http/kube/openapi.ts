// Serves the OpenAPI v3 index and documents. The hash in a document's URL is its ETag, so that kubectl
// caches it until the schemas change. Version 2 has no paths: kubectl asks it for
// unknown kinds, and takes a missing one for a broken server.
import { lazy } from '../../../src/kernel/lazy.ts'
import { metaSchemas } from '../../../src/resources/schemas/openapi-meta.ts'
import { openApiSchemas } from '../../../src/resources/schemas/openapi.ts'
import { apiPathOf } from '../../../src/resources/kind-names.ts'
import type { App } from '../env.ts'
import { answerDocument, documentOf, servedKinds } from './discovery.ts'
import { openApiPaths } from './openapi-paths.ts'
import type { KubeRoute } from './route.ts'

/** `api/v1`, `apis/stagely.dev/v1alpha1` → its document. */
export const openApiDocuments = (
  routes: readonly KubeRoute[],
  version: string,
): Map<string, object> => {
  const roots = new Set(servedKinds.map(apiPathOf))
  return new Map(
    [...roots].map((root) => [
      root.slice(1),
      {
        openapi: '3.0.0',
        info: { title: 'Stagely', version },
        security: [{ BearerToken: [] }],
        paths: openApiPaths(routes.filter(({ path }) => path.startsWith(`${root}/`))),
        components: {
          securitySchemes: { BearerToken: { type: 'http', scheme: 'bearer' } },
          schemas: openApiSchemas(servedKinds.filter((kind) => apiPathOf(kind) === root)),
        },
      },
    ]),
  )
}

/** Made at the first request: it would take a tenth of the time of a start, and few controllers are asked for them. */
const publishedOf = (routes: readonly KubeRoute[], version: string) => {
  const documents = new Map(
    [...openApiDocuments(routes, version)].map(([path, content]) => [path, documentOf(content)]),
  )
  const paths = [...documents].map(([path, { etag }]) => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${etag.replaceAll('"', '')}` },
  ])
  return { documents, index: documentOf({ paths: Object.fromEntries(paths) as unknown }) }
}

export const mountOpenApi = (app: App, routes: readonly KubeRoute[], version: string): void => {
  const published = lazy(() => publishedOf(routes, version))
  mountVersion2(app, version)
  app.get('/openapi/v3', (c) =>
    answerDocument(c, published().index, { 'cache-control': 'no-cache' }),
  )
  app.get('/openapi/v3/:path{.+}', (c) => {
    const document = published().documents.get(c.req.param('path'))
    return document === undefined
      ? c.notFound()
      : answerDocument(c, document, { 'cache-control': 'public, immutable' })
  })
}

// The name in Kubernetes' answers. The name in requests is no valid media type.
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/** One field of a protobuf message, of less than 128 bytes. */
const field = (number: number, content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
}

const mountVersion2 = (app: App, version: string): void => {
  const info = { title: 'Stagely', version }
  // Terraform asks it for what every object has.
  const definitions = JSON.parse(
    JSON.stringify(metaSchemas).replaceAll('#/components/schemas/', '#/definitions/'),
  ) as object
  const json = documentOf({ swagger: '2.0', info, paths: {}, definitions })
  const fields = [
    field(1, '2.0'),
    field(2, Buffer.concat([field(1, info.title), field(2, version)])),
  ]
  const protobuf = new Uint8Array(Buffer.concat(fields))
  app.get('/openapi/v2', (c) =>
    (c.req.header('accept') ?? '').includes('proto-openapi')
      ? c.body(protobuf, 200, { 'content-type': protobufType, vary: 'Accept' })
      : answerDocument(c, json),
  )
}
