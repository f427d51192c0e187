// Built files, served as they are: the dashboard, and the documents. They are public.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { lazy } from '../../src/kernel/lazy.ts'
import type { App, AppContext } from './env.ts'

interface StaticFile {
  readonly type: string
  readonly etag: string
  /** Names change with the content. */
  readonly isHashed: boolean
  /** Unpacked once where the build has left only a packed one. */
  readonly bytes: () => Uint8Array<ArrayBuffer>
  /** The same, packed by the build. */
  readonly packed: Readonly<Partial<Record<'br' | 'gzip', Uint8Array<ArrayBuffer>>>>
}

/** By path below the folder. */
export type StaticFiles = ReadonlyMap<string, StaticFile>

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
  '.yaml': 'text/plain; charset=utf-8',
  '.yml': 'text/plain; charset=utf-8',
}

const packedNames = { br: '.br', gzip: '.gz' } as const

const namesIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

/** undefined: the folder was not built. */
export const readStaticFiles = async (folder: string): Promise<StaticFiles | undefined> => {
  const there = new Set(await namesIn(folder).catch(() => []))
  const names = new Set([...there].map((name) => name.replace(/\.br$/, '')))
  if (!names.has('index.html')) return undefined
  const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await readFile(join(folder, name)))
  const files = new Map<string, StaticFile>()
  for (const name of names) {
    const type = types[extname(name)]
    if (type === undefined) continue
    const packed: Partial<Record<'br' | 'gzip', Uint8Array<ArrayBuffer>>> = {}
    for (const [coding, suffix] of Object.entries(packedNames))
      if (there.has(name + suffix)) packed[coding as 'br' | 'gzip'] = await read(name + suffix)
    const whole = there.has(name) ? await read(name) : undefined
    const bytes = lazy(() => whole ?? new Uint8Array(brotliDecompressSync(packed.br ?? '')))
    const digest = createHash('sha256').update(whole ?? packed.br ?? '')
    const etag = `W/"${digest.digest('base64url')}"`
    const isHashed = name.startsWith('assets/')
    files.set(name, { type, etag, isHashed, bytes, packed })
  }
  return files
}

const pageHeaders: Readonly<Record<string, string>> = {
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

/** What both forbid; images and scripts of types that a page makes are its own matter. */
export const contentPolicyOf = (images: string, trustedTypes: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    `img-src ${images}`,
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${trustedTypes}`,
  ].join('; ')

const year = 31_536_000

interface ServedPage {
  readonly policy: string
  /**
   * The certificate is one that browsers trust. Otherwise browsers that were told to insist on TLS would
   * offer no way past their warning.
   */
  readonly isTrusted: boolean
}

/** On every answer below a path. */
export const usePageHeaders = (app: App, below: string, options: ServedPage): void => {
  app.use(below, async (c, next) => {
    c.header('content-security-policy', options.policy)
    for (const [name, value] of Object.entries(pageHeaders)) c.header(name, value)
    if (options.isTrusted) c.header('strict-transport-security', `max-age=${year}`)
    await next()
  })
}

export const answerNoFile = (c: AppContext, text = '404 page not found'): Response =>
  c.text(text, 404, { 'cache-control': 'no-store' })

export const answerFile = (c: AppContext, file: StaticFile, status: 200 | 404 = 200): Response => {
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
    return c.body(packed, status, { 'content-type': file.type, 'content-encoding': coding })
  }
  return c.body(file.bytes(), status, { 'content-type': file.type })
}
