// Builds the dashboard into dist/dashboard: the shell index.html, and hashed files in assets/,
// each with a .br and a .gz of its own where that is smaller; and SHA256SUMS of all of them. See dashboard and ADR 0055.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

const repository = fileURLToPath(new URL('..', import.meta.url))
const root = join(repository, 'dashboard')
const outDir = join(repository, 'dist/dashboard')
const watch = process.argv.includes('--watch')
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))

const { icons: lucide } = JSON.parse(
  readFileSync(join(repository, 'node_modules/@iconify-json/lucide/icons.json'), 'utf8'),
)
/** The same for all icons: ui/icon.ts says it once. */
const common =
  /^(?:fill="none"|stroke="currentColor"|stroke-(?:linecap|linejoin)="round"|stroke-width="2")$/

/** `import Gauge from 'icon:gauge'`: the shapes of one lucide icon as a component. */
const icons = {
  name: 'stagely-icons',
  resolveId: (id) => (id.startsWith('icon:') ? `\0${id}.js` : undefined),
  load: (id) => {
    const name = /^\0icon:(.*)\.js$/.exec(id)?.[1]
    if (name === undefined) return undefined
    const shapes = [
      ...lucide[name].body.matchAll(
        /<(path|circle|rect|line|polyline|polygon|ellipse)\b([^>]*?)\/>/g,
      ),
    ].map(([, tag, attributes]) => [
      tag,
      Object.fromEntries(
        [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)]
          .filter(([attribute]) => !common.test(attribute))
          .map(([, key, value]) => [key, value]),
      ),
    ])
    return `import { iconOf } from '${join(root, 'ui/icon.ts')}'\nexport default iconOf(${JSON.stringify(shapes)})`
  },
}

/** The theme script is loaded before all else, so no module: it is named by its content here. */
const theme = {
  name: 'stagely-theme',
  transformIndexHtml: {
    order: 'post',
    handler: () => [
      { tag: 'script', attrs: { src: `/ui/assets/${themeFile.name}` }, injectTo: 'head-prepend' },
    ],
  },
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: `assets/${themeFile.name}`, source: themeFile.source })
  },
}
const themeFile = (() => {
  const source = readFileSync(join(root, 'app/theme.js'), 'utf8').replace(/^\s*\/\/.*\n/gm, '')
  return {
    source,
    name: `theme-${createHash('sha256').update(source).digest('base64url').slice(0, 8)}.js`,
  }
})()

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())

/** Answers are ready-made: the server compresses nothing. Fonts are compressed already. */
const compress = () => {
  for (const path of filesIn(outDir)) {
    if (!/\.(html|js|css|svg)$/.test(path)) continue
    const content = readFileSync(path)
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    }
    for (const [end, packed] of [
      ['br', brotliCompressSync(content, { params })],
      ['gz', gzipSync(content, { level: 9 })],
    ]) {
      if (packed.length < content.length) writeFileSync(`${path}.${end}`, packed)
    }
  }
}

/** For `sha256sum -c SHA256SUMS` in the folder. */
const writeSums = () => {
  const lines = filesIn(outDir)
    .map((path) => [relative(outDir, path), readFileSync(path)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
  writeFileSync(join(outDir, 'SHA256SUMS'), lines.join(''))
}

/** What one dialog needs is loaded with that dialog. */
const isOfOne = (id) => id.includes('node_modules/yaml/') || id.includes('/dashboard/app/palette/')
const isOfAll = (id) =>
  !isOfOne(id) &&
  (id.includes('node_modules') ||
    /\/dashboard\/(app|api|live|staging|ui)\//.test(id) ||
    id.includes('icon:'))

/** The files that are loaded later of which a module is a part. */
const filesOf = (id, infoOf, found = new Set(), seen = new Set()) => {
  if (seen.has(id)) return found
  seen.add(id)
  const { dynamicImporters = [], importers = [] } = infoOf(id) ?? {}
  if (dynamicImporters.length > 0) found.add(id)
  for (const one of importers) filesOf(one, infoOf, found, seen)
  return found
}

/** What several of them need is in the file that is there from the beginning: each of them imports that one alone. */
const groupOf = (id, modules) =>
  isOfAll(id) || filesOf(id, (one) => modules.getModuleInfo(one)).size !== 1 ? 'app' : null

/**
 * A browser remembers that a file did not come, so that another try needs another address: app/later.ts gives it an
 * end while it calls `import()`.
 */
const another = {
  name: 'stagely-another-address',
  renderChunk: (code) =>
    code.replace(/\bimport\((["'`])(\.\/[^"'`]+)\1\)/g, 'import($1$2$1+globalThis.stagelyAgain)'),
}

rmSync(outDir, { recursive: true, force: true })
await build({
  root,
  base: '/ui/',
  configFile: false,
  publicDir: false,
  envDir: false,
  logLevel: 'warn',
  define: { STAGELY_VERSION: JSON.stringify(version) },
  plugins: [icons, theme, another],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  css: { modules: { generateScopedName: '[name]_[local]_[hash:base64:4]' } },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    sourcemap: false,
    reportCompressedSize: false,
    // Says which plugin took how long, on a machine that is busy with tests.
    rolldownOptions: {
      checks: { pluginTimings: false },
      // What all pages are made of is one file: a page then needs one more, its own.
      output: { codeSplitting: { groups: [{ name: groupOf }] } },
    },
    ...(watch ? { watch: {} } : {}),
  },
})
if (!watch) {
  compress()
  writeSums()
}
