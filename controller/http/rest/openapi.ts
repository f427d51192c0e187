// The OpenAPI 3.1 document of the REST API, made from the table of routes, and a page that shows it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hono } from 'hono'
import * as z from 'zod'
import { defined } from '../../../src/kernel/defined.ts'
import { builtFolder } from '../built.ts'
import type { AppEnv } from '../env.ts'
import { lazy } from '../../../src/kernel/lazy.ts'
import { answerDocument, documentOf } from '../kube/discovery.ts'
import { problemSchema, problemType } from './problem.ts'
import { heedsIdempotencyKey, type RestRoute, type SessionRule } from './route.ts'
import { restRoutes } from './table.ts'

type Json = Record<string, unknown>

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return json
}

const parameterNames = (path: string): string[] =>
  [...path.matchAll(/:([a-z_]+)/g)].map(([, name = '']) => name)

const describe: Readonly<Record<string, string>> = {
  project_id: 'Id of a project (`proj_…`), or `team/name` with the slash as `%2F`.',
  secret_id: 'Id of a secret (`sec_…`), or the name of its object.',
  stagelet_id: 'Id of a stagelet (`stg_…`), or `team/name` with the slash as `%2F`.',
  agent_id: 'Id of an agent (`agt_…`), or `team/name` with the slash as `%2F`.',
}

const pathParameter = (name: string): Json => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
  ...defined({ description: describe[name] }),
})

const queryParameters = (route: RestRoute): Json[] => {
  if (route.query === undefined) return []
  const { properties = {}, required = [] } = schemaOf(route.query, 'input') as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...defined({ description }),
    schema,
  }))
}

const headerParameter = (name: string, description: string): Json => ({
  name,
  in: 'header',
  schema: { type: 'string' },
  description,
})

const idempotencyKey = headerParameter(
  'Idempotency-Key',
  'A repeat with the same key is answered, not done.',
)
const ifMatch = headerParameter(
  'If-Match',
  'The ETag that was read; 412 when it is another by now.',
)

const headersOf = (route: RestRoute): Json[] => [
  ...(heedsIdempotencyKey(route) ? [idempotencyKey] : []),
  ...(route.heedsIfMatch === true ? [ifMatch] : []),
]

/** The right that a route needs, in words. */
const rightText = ({ access }: RestRoute): string => {
  if (access.in === 'public') return 'Nobody needs to be logged in.'
  if (access.in === 'session') return 'For the session of a browser.'
  if (access.in === 'self') return 'Whoever is logged in.'
  if (access.in === 'admin') return 'Admins of the controller.'
  return `Needs the right to ${access.verb} ${access.resource}.`
}

const confirmation =
  'A session of a browser needs a confirmation that is not older than 10 minutes.'

const sessionTexts: Readonly<Record<SessionRule, string>> = {
  refused: 'Not for the session of a browser.',
  confirmed: confirmation,
  reveal: confirmation,
}

const accessText = (route: RestRoute): string => {
  const { session } = route
  if (session === undefined) return rightText(route)
  const rule = typeof session === 'function' ? 'confirmed' : session
  return `${rightText(route)} ${sessionTexts[rule]}`
}

const problem = { $ref: '#/components/schemas/Problem' }

const operationOf = (route: RestRoute): Json => {
  const answers = [...route.responses].map(([status, { description, schema }]) => [
    status,
    {
      description,
      ...(schema !== undefined && {
        content: { 'application/json': { schema: schemaOf(schema, 'output') } },
      }),
    },
  ])
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    description: accessText(route),
    ...(route.access.in === 'public' && { security: [] }),
    parameters: [
      ...parameterNames(route.path).map(pathParameter),
      ...queryParameters(route),
      ...headersOf(route),
    ],
    ...(route.body !== undefined && {
      requestBody: {
        required: !route.body.safeParse(undefined).success,
        content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
      },
    }),
    responses: {
      ...(Object.fromEntries(answers) as Json),
      default: { description: 'Why not.', content: { [problemType]: { schema: problem } } },
    },
  }
}

export const openApiDocument = (version: string): Json => {
  const paths: Record<string, Json> = {}
  for (const route of restRoutes) {
    const path = route.path.replace(/:([a-z_]+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stagely REST API',
      version,
      description: 'Secrets of Docker Compose stacks, and the containers that run them.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(restRoutes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-stagely' },
      },
      schemas: { Problem: schemaOf(problemSchema, 'output') },
    },
  }
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Stagely REST API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`

const start = `SwaggerUIBundle({ url: '/api/v1/openapi.json', dom_id: '#api', validatorUrl: null })
`

/** Everything is loaded from this server; inline scripts are not allowed. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' }

/** Before the login: the document holds nothing that the source code does not. */
export const mountRestDocs = (app: Hono<AppEnv>, version: string): void => {
  const document = lazy(() => documentOf(openApiDocument(version)))
  app.get('/api/v1/openapi.json', (c) => answerDocument(c, document()))
  const headers = {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  }
  app.get('/api/docs', (c) => c.html(page, 200, headers))
  app.get('/api/docs/start.js', (c) => c.body(start, 200, { ...headers, 'content-type': types.js }))
  const files = { 'swagger-ui-bundle.js': types.js, 'swagger-ui.css': types.css }
  for (const [name, type] of Object.entries(files))
    app.get(`/api/docs/${name}`, (c) =>
      c.body(new Uint8Array(readFileSync(join(builtFolder('api-docs'), name))), 200, {
        ...headers,
        'content-type': type,
        'cache-control': 'public, max-age=86400',
      }),
    )
}
