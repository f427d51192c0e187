// Serves the built files of the dashboard from memory. They are public: what they show comes from the
// REST API, which asks for a login.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { builtFolder } from './built.ts'
import type { App, AppContext } from './env.ts'

export const dashboardFolder = builtFolder('dashboard')

interface DashboardFile {
  readonly type: string
  readonly etag: string
  /** Names change with the content. */
  readonly isHashed: boolean
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The same, packed by the build. */
  readonly packed: Readonly<Partial<Record<'br' | 'gzip', Uint8Array<ArrayBuffer>>>>
}

/** By path below `/ui/`. */
export type DashboardFiles = ReadonlyMap<string, DashboardFile>

const shell = 'index.html'

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

const packedNames = { br: '.br', gzip: '.gz' } as const

const namesIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

/** undefined: the folder has no built dashboard. */
export const readDashboard = async (folder: string): Promise<DashboardFiles | undefined> => {
  const names = new Set(await namesIn(folder).catch(() => []))
  if (!names.has(shell)) return undefined
  const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await readFile(join(folder, name)))
  const files = new Map<string, DashboardFile>()
  for (const name of names) {
    const type = types[extname(name)]
    if (type === undefined) continue
    const bytes = await read(name)
    const packed: Partial<Record<'br' | 'gzip', Uint8Array<ArrayBuffer>>> = {}
    for (const [coding, suffix] of Object.entries(packedNames))
      if (names.has(name + suffix)) packed[coding as 'br' | 'gzip'] = await read(name + suffix)
    const etag = `W/"${createHash('sha256').update(bytes).digest('base64url')}"`
    files.set(name, { type, etag, isHashed: name.startsWith('assets/'), bytes, packed })
  }
  return files
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'permissions-policy':
    'clipboard-read=(), clipboard-write=(self), camera=(), microphone=(), geolocation=(), usb=(), display-capture=()',
  'origin-agent-cluster': '?1',
}

const year = 31_536_000

export interface DashboardOptions {
  readonly files: DashboardFiles | undefined
  /**
   * The certificate is one that browsers trust. Otherwise browsers that were told to insist on TLS would
   * offer no way past their warning.
   */
  readonly isTrusted: boolean
}

const missing = `This build of Stagely has no dashboard. "npm run build" makes it;
"stagely controller --no-dashboard" serves none.
`

/** The shell is served for each path that is no file: the page itself knows its paths. */
export const mountDashboard = (app: App, { files, isTrusted }: DashboardOptions): void => {
  app.use('/ui/*', async (c, next) => {
    for (const [name, value] of Object.entries(pageHeaders)) c.header(name, value)
    if (isTrusted) c.header('strict-transport-security', `max-age=${year}`)
    await next()
  })
  app.get('/', (c) => c.redirect('/ui/', 302))
  app.get('/ui', (c) => c.redirect('/ui/', 302))
  app.get('/ui/*', (c) => {
    if (files === undefined) return c.text(missing, 404, { 'cache-control': 'no-store' })
    const path = c.req.path.slice('/ui/'.length)
    const file = files.get(path)
    if (file === undefined && path.startsWith('assets/'))
      return c.text('404 page not found', 404, { 'cache-control': 'no-store' })
    return answerFile(c, file ?? files.get(shell)!)
  })
}

const answerFile = (c: AppContext, file: DashboardFile): Response => {
  c.header('cache-control', file.isHashed ? `public, max-age=${year}, immutable` : 'no-cache')
  c.header('etag', file.etag)
  c.header('vary', 'accept-encoding')
  if (c.req.header('if-none-match') === file.etag) return c.body(null, 304)
  const accepted = (c.req.header('accept-encoding') ?? '')
    .split(',')
    .map((part) => part.trim().split(';')[0])
  for (const coding of ['br', 'gzip'] as const) {
    const packed = file.packed[coding]
    if (packed === undefined || !accepted.includes(coding)) continue
    return c.body(packed, 200, { 'content-type': file.type, 'content-encoding': coding })
  }
  return c.body(file.bytes, 200, { 'content-type': file.type })
}
