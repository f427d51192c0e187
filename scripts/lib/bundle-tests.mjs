// bundle-tests.mjs FOLDER FILE…: puts these tests into the folder as JavaScript, with each source that they share
// in one file. Workers load it without Vite, which compiles each source for itself and hands it to each worker.
import { rmSync } from 'node:fs'
import { build } from 'esbuild'
import { inPlace } from './in-place.mjs'

const [outdir, ...entryPoints] = process.argv.slice(2)
rmSync(outdir, { recursive: true, force: true })
await build({
  entryPoints,
  outdir,
  outbase: '.',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  plugins: [inPlace],
  // What fails is told at its place in the source.
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
})
