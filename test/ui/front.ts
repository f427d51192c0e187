// Until the controller serves the dashboard itself: its built files with the policy of the page, one session,
// and the controller's API behind it.
import { createServer, request as plainRequest, type Server } from 'node:http'
import { request } from 'node:https'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { extname, join, resolve } from 'node:path'

const folder = resolve(import.meta.dirname, '../../dist/controller/dashboard')
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export interface Front {
  readonly url: string
  readonly server: Server
}

export const startFront = async (target: string, token: string, ca: Buffer): Promise<Front> => {
  const server = createServer((asked, answer) => {
    const path = new URL(asked.url ?? '', 'http://front').pathname
    const json = (status: number, body: unknown): void => {
      answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const isIn = asked.headers.cookie?.includes('stagely=in') === true
    const session = { user: 'admin', csrf: 'csrf', expires_at: '2030-01-01T00:00:00Z' }
    const refused = { reason: 'Unauthorized', status: 401, detail: 'log in', request_id: '' }
    if (path === '/api/v1/auth/methods') json(200, { token: true, oidc: null })
    else if (path === '/api/v1/session' && asked.method === 'POST') {
      let text = ''
      asked.on('data', (chunk: Buffer) => (text += chunk.toString()))
      asked.on('end', () => {
        if ((JSON.parse(text) as { token: string }).token !== token) json(401, refused)
        else {
          answer.setHeader('set-cookie', 'stagely=in; Path=/; HttpOnly; SameSite=Strict')
          json(201, session)
        }
      })
    } else if (path === '/api/v1/session' && asked.method === 'DELETE') {
      answer.writeHead(204, { 'set-cookie': 'stagely=; Path=/; Max-Age=0' }).end()
    } else if (path.startsWith('/api/') && !isIn) json(401, refused)
    else if (path === '/api/v1/session') json(200, session)
    else if (path.startsWith('/api/')) {
      const { cookie: _, host: __, ...headers } = asked.headers
      const options = {
        method: asked.method ?? 'GET',
        ca,
        headers: { ...headers, authorization: `Bearer ${token}` },
      }
      const open = target.startsWith('https:') ? request : plainRequest
      const passed = open(new URL(asked.url ?? '', target), options, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(answer)
      })
      passed.on('error', () => answer.destroy())
      answer.on('close', () => passed.destroy())
      asked.pipe(passed)
    } else {
      const file = join(folder, path.replace(/^\/ui\//, ''))
      const shown = extname(file) !== '' && existsSync(file) ? file : join(folder, 'index.html')
      answer.writeHead(200, {
        'content-type': types[extname(shown)],
        'content-security-policy': policy,
      })
      answer.end(readFileSync(shown))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
