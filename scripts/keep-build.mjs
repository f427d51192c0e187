// keep-build.mjs COMMIT: makes the fixture of test/integration/build-before.test.ts: the command of that
// commit as plain files, with the packages that a start reads, as of today: one by one they cost half a second of it.
// Run at each release, with the commit of the one before.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'esbuild'

const [commit] = process.argv.slice(2)
if (commit === undefined) {
  console.error('usage: node scripts/keep-build.mjs COMMIT')
  process.exit(2)
}
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'stagely-keep-build-'))
const run = (file, args, options = {}) =>
  execFileSync(file, args, { maxBuffer: 1 << 28, ...options })

try {
  const parts = ['src', 'controller', 'agent', 'cli', 'package.json']
  const sources = run('git', ['archive', '--format=tar', commit, ...parts], { cwd: root })
  run('tar', ['-x', '-C', folder], { input: sources })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const out = join(folder, 'out')
  await build({
    absWorkingDir: folder,
    entryPoints: { main: 'cli/main.ts', 'pglite-worker': 'src/store/drivers/pglite-worker.js' },
    outdir: join(out, 'cli'),
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: [
      // These read files of their own, and the others are read by few starts.
      ...['@electric-sql/pglite', '@google-cloud/kms', 'swagger-ui-dist', 'pg-native'],
      ...['@aws-sdk/*', '@kubernetes/client-node', 'openid-client'],
    ],
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  // Read from beside the files that name them.
  cpSync(join(folder, 'src/store/drivers/migrations'), join(out, 'cli/migrations'), {
    recursive: true,
  })
  cpSync(join(folder, 'package.json'), join(out, 'package.json'))
  writeFileSync(join(out, 'COMMIT'), `${run('git', ['rev-parse', commit], { cwd: root })}`)
  const files = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  const archive = run('tar', ['-c', ...files, '-C', out, '.'])
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 }
  writeFileSync(
    join(root, 'test/fixtures/build-before.tar.br'),
    brotliCompressSync(archive, { params }),
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
