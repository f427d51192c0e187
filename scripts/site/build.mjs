// Makes dist/docs, the site of the documents, which the controller serves at /docs. Fails on what VitePress only says.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompressSync, constants } from 'node:zlib'
import { pagesOf, siteText } from './pages.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const outDir = join(root, 'dist/docs')
const work = mkdtempSync(join(tmpdir(), 'stagely-site-'))

const write = (path, content) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const stage = () => {
  const pages = pagesOf(root)
  for (const [page, name] of pages) write(join(work, name), siteText(root, page, pages))
  const config = join(work, '.vitepress')
  cpSync(join(root, 'scripts/site'), config, { recursive: true })
  cpSync(join(root, 'docs/examples'), join(work, 'public/examples'), {
    recursive: true,
    filter: (path) => !path.endsWith('.md'),
  })
  cpSync(join(root, 'dashboard/styles/icon.svg'), join(work, 'public/icon.svg'))
  write(join(work, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'))
}

/** It ends with 0 although a page could not be rendered. */
const render = async () => {
  const program = join(root, 'node_modules/vitepress/bin/vitepress.js')
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [program, 'build', '--outDir', outDir],
    { cwd: work, env: { ...process.env, NO_COLOR: '1', CI: '1' } },
  )
  const said = `${stdout}\n${stderr}`
  const faults = said
    .split('\n')
    .filter((line) => /error|warn|dead link|fail|unresolved/i.test(line))
  if (faults.length > 0) throw new Error(said)
}

const filesOf = (end) =>
  readdirSync(outDir, { recursive: true })
    .filter((name) => name.endsWith(end) && statSync(join(outDir, name)).isFile())
    .map((name) => join(outDir, name))

/** The policy lets no script and no style be within a page. Styles of elements are set by the script again. */
const takeScriptsOut = () => {
  for (const path of filesOf('.html')) {
    const html = readFileSync(path, 'utf8')
      .replace(/<script(?: id="[\w-]+")?>([^]*?)<\/script>/g, (_, code) => {
        const digest = createHash('sha256').update(code).digest('base64url').slice(0, 8)
        write(join(outDir, `assets/inline.${digest}.js`), code)
        return `<script src="/docs/assets/inline.${digest}.js"></script>`
      })
      .replace(/(<[a-z][^>]*) style="[^"]*"/g, '$1')
    const within = html.match(/<script(?![^>]*\bsrc=)|<style|<[^>]*\s(?:style|on\w+)="/g)
    if (within !== null) throw new Error(`${path} holds ${[...new Set(within)].join(', ')}`)
    writeFileSync(path, html)
  }
}

/** The server compresses nothing, and unpacks for browsers without Brotli. Each file is there once. */
const compress = () => {
  for (const path of filesOf('').filter((name) => /\.(html|js|css|svg)$/.test(name))) {
    const content = readFileSync(path)
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9 }
    const packed = brotliCompressSync(content, { params })
    if (packed.length >= content.length) continue
    writeFileSync(`${path}.br`, packed)
    rmSync(path)
  }
}

rmSync(outDir, { recursive: true, force: true })
try {
  stage()
  await render()
  takeScriptsOut()
  compress()
} catch (error) {
  console.error(error.stderr === undefined ? error.message : `${error.stdout}\n${error.stderr}`)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}
