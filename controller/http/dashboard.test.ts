import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mountDashboard } from './dashboard.ts'
import { mountDocuments } from './documents.ts'
import type { App, AppEnv } from './env.ts'
import { readStaticFiles } from './static-files.ts'

let folder: string
let app: App

const shell = '<!doctype html><title>Stagely</title>'
const script = 'console.log("a script")'

const appWith = async (of: string, isTrusted = false): Promise<App> => {
  const made: App = new Hono<AppEnv>()
  mountDashboard(made, { files: await readStaticFiles(of), isTrusted })
  return made
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stagely-dashboard-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), shell)
  await writeFile(join(folder, 'theme.js'), 'theme')
  await writeFile(join(folder, 'assets/main-a1b2.js'), script)
  await writeFile(join(folder, 'assets/main-a1b2.js.br'), brotliCompressSync(script))
  await writeFile(join(folder, 'assets/main-a1b2.js.map'), '{}')
  app = await appWith(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request(path, { headers })

describe('the dashboard', () => {
  it('is one shell for all its pages, which forbids all that it does not need', async () => {
    for (const path of ['/ui/', '/ui/login', '/ui/t/red/p/shop/revisions/1..2', '/ui/index.html']) {
      const answer = await get(path)
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, shell])
      const { 'content-type': type, etag: _, ...headers } = Object.fromEntries(answer.headers)
      expect(type).toBe('text/html; charset=utf-8')
      expect(headers).toEqual({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'permissions-policy':
          'clipboard-read=(), clipboard-write=(self), camera=(), microphone=(), geolocation=(), usb=(), display-capture=()',
        'origin-agent-cluster': '?1',
        'cache-control': 'no-cache',
        vary: 'accept-encoding',
      })
    }
  })

  it('is found at the root', async () => {
    for (const path of ['/', '/ui']) {
      const answer = await get(path)
      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/ui/'])
    }
  })

  it('has files that browsers keep for ever, packed as they like it', async () => {
    const path = '/ui/assets/main-a1b2.js'
    const plain = await get(path)
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(plain.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await plain.text()).toBe(script)
    const packed = await get(path, { 'accept-encoding': 'gzip, deflate, br;q=0.9' })
    expect(packed.headers.get('content-encoding')).toBe('br')
    const bytes = Buffer.from(await packed.arrayBuffer())
    expect(brotliDecompressSync(bytes).toString()).toBe(script)
    // Without a hash in its name a file is asked for again.
    const theme = await get('/ui/theme.js')
    expect(theme.headers.get('cache-control')).toBe('no-cache')
    const same = await get('/ui/theme.js', { 'if-none-match': theme.headers.get('etag') ?? '' })
    expect([same.status, await same.text()]).toEqual([304, ''])
  })

  it('has no file beside those of the build, and no source map', async () => {
    for (const path of [
      ...['/ui/assets/none.js', '/ui/assets/main-a1b2.js.map', '/ui/assets/main-a1b2.js.br'],
      '/ui/assets/../../etc/passwd',
    ])
      expect((await get(path)).status).not.toBe(200)
    expect(await (await get('/ui/..%2f..%2fetc%2fpasswd')).text()).toBe(shell)
  })

  it('asks browsers to insist on TLS only where they trust the certificate', async () => {
    const header = 'strict-transport-security'
    const trusted = await (await appWith(folder, true)).request('/ui/')
    expect(trusted.headers.get(header)).toBe('max-age=31536000')
    expect((await get('/ui/')).headers.get(header)).toBeNull()
  })

  it('says so where the build has none', async () => {
    const answer = await (await appWith(join(folder, 'none'))).request('/ui/')
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('npm run build')
  })
})

describe('the documents', () => {
  const pages = async (): Promise<App> => {
    await writeFile(join(folder, 'keys.html.br'), brotliCompressSync('<title>Keys</title>'))
    await writeFile(join(folder, '404.html'), '<title>404</title>')
    const made: App = new Hono<AppEnv>()
    mountDocuments(made, { folder, isTrusted: false })
    return made
  }

  it('are pages by their names, and a page of their own for a name that there is not', async () => {
    const made = await pages()
    const get = async (path: string) => {
      const answer = await made.request(path)
      return [answer.status, await answer.text()]
    }
    expect(await get('/docs/')).toEqual([200, shell])
    expect(await get('/docs/keys')).toEqual([200, '<title>Keys</title>'])
    expect(await get('/docs/none')).toEqual([404, '<title>404</title>'])
    expect(await get('/docs/..%2f..%2fetc%2fpasswd')).toEqual([404, '<title>404</title>'])
    expect(await get('/docs/assets/none.js')).toEqual([404, '404 page not found'])
    expect((await made.request('/docs')).headers.get('location')).toBe('/docs/')
  })

  it('are unpacked for a browser without Brotli: the build keeps the packed file alone', async () => {
    await writeFile(join(folder, 'packed.html.br'), brotliCompressSync('<title>Packed</title>'))
    const made = await pages()
    const plain = await made.request('/docs/packed')
    expect(await plain.text()).toBe('<title>Packed</title>')
    const headers = { 'accept-encoding': 'br' }
    const packed = await made.request('/docs/packed', { headers })
    expect(packed.headers.get('content-encoding')).toBe('br')
    expect(packed.headers.get('etag')).toBe(plain.headers.get('etag'))
  })

  it('forbid what the dashboard forbids, but for icons within their styles', async () => {
    const made = await pages()
    const policies = [await made.request('/docs/keys'), await app.request('/ui/')].map((answer) =>
      answer.headers.get('content-security-policy')!,
    )
    expect(policies[0]).toBe(
      policies[1]!
        .replace("img-src 'self'", "img-src 'self' data:")
        .replace("trusted-types 'none'", 'trusted-types vue'),
    )
  })

  it('say so where the build has none', async () => {
    const made: App = new Hono<AppEnv>()
    mountDocuments(made, { folder: join(folder, 'none'), isTrusted: false })
    const answer = await made.request('/docs/')
    expect([answer.status, await answer.text()]).toEqual([
      404,
      expect.stringContaining('npm run build'),
    ])
  })
})
